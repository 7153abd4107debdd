/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Elections (dissertation, 3.4): at most one leader in a term, while messages get lost, arrive late,
 * twice and in any order, and members crash.
 *
 *   spin -a election.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 *
 * Twins that must fail:
 *   -DFORGET_VOTE        a crash loses the vote, as if it was given before it was durable
 *   -DCOUNT_DUPLICATES   a candidate counts answers, not voters (with -DN=5: of three members, an
 *                        answer from another is enough)
 *
 * Messages are never taken away once sent: whoever they are for may take each of them at any time,
 * again, or never.
 */

#ifndef N
#define N 3
#endif
#ifndef MAX_TERM
#define MAX_TERM 3
#endif
#define MAX_CRASHES 2
#define MAJORITY (N / 2 + 1)
#define NOBODY N

#define bit_of(i) (1 << (i))
#define in(set, i) (((set) >> (i)) & 1)
#define size(set) (in(set, 0) + in(set, 1) + in(set, 2) + in(set, 3) + in(set, 4))
#define vote_bit(voter, candidate) (1 << ((voter) * N + (candidate)))

/* Durable. */
byte term[N];
byte votedFor[N];

/* Lost by a crash. */
bool isCandidate[N];
byte votes[N]; /* bits of voters; with COUNT_DUPLICATES a number */

/* On their way, by term. */
byte asked[MAX_TERM + 1];    /* bits of candidates */
int granted[MAX_TERM + 1];  /* bits of voters with candidates */

byte crashes;
byte leaderOf[MAX_TERM + 1];

inline adopt(newTerm) {
  if
  :: newTerm > term[me] ->
    term[me] = newTerm;
    votedFor[me] = NOBODY;
    isCandidate[me] = false;
    votes[me] = 0
  :: else
  fi
}

inline campaign() {
  term[me]++;
  votedFor[me] = me;
  isCandidate[me] = true;
#ifdef COUNT_DUPLICATES
  votes[me] = 1;
#else
  votes[me] = bit_of(me);
#endif
  asked[term[me]] = asked[term[me]] | bit_of(me)
}

inline answerVoteRequest(candidate, t) {
  adopt(t);
  if
  :: t == term[me] && (votedFor[me] == NOBODY || votedFor[me] == candidate) ->
    votedFor[me] = candidate;
    granted[t] = granted[t] | vote_bit(me, candidate)
  :: else
  fi
}

inline countVote(voter) {
#ifdef COUNT_DUPLICATES
  votes[me]++;
  won = votes[me] >= MAJORITY;
#else
  votes[me] = votes[me] | bit_of(voter);
  won = size(votes[me]) >= MAJORITY;
#endif
  if
  :: won ->
    assert(leaderOf[term[me]] == NOBODY || leaderOf[term[me]] == me);
    leaderOf[term[me]] = me;
    isCandidate[me] = false;
    votes[me] = 0
  :: else
  fi;
  won = false
}

inline crash() {
  crashes++;
  isCandidate[me] = false;
  votes[me] = 0;
#ifdef FORGET_VOTE
  votedFor[me] = NOBODY;
#endif
}

proctype Member(byte me) {
  byte other;
  byte t;
  bool won;
end:
  do
  :: atomic { term[me] < MAX_TERM -> campaign() }
  :: atomic {
      /* A vote request of some candidate and term arrives. */
      select(other : 0 .. N - 1);
      select(t : 1 .. MAX_TERM);
      if
      :: other != me && (asked[t] & bit_of(other)) && t >= term[me] -> answerVoteRequest(other, t)
      :: else
      fi;
      other = 0;
      t = 0
    }
  :: atomic {
      /* The vote of some member arrives. */
      isCandidate[me] ->
      select(other : 0 .. N - 1);
      if
      :: other != me && (granted[term[me]] & vote_bit(other, me)) -> countVote(other)
      :: else
      fi;
      other = 0
    }
  :: atomic { crashes < MAX_CRASHES -> crash() }
  od
}

init {
  atomic {
    byte i;
    for (i : 0 .. N - 1) {
      votedFor[i] = NOBODY
    }
    for (i : 0 .. MAX_TERM) {
      leaderOf[i] = NOBODY
    }
    for (i : 0 .. N - 1) {
      run Member(i)
    }
  }
}
