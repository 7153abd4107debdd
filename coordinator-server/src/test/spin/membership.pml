/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A change of members by joint consensus (dissertation, 4.3): from {0, 1, 2} over both to {0, 2, 3},
 * with leaders that crash and lose their leadership in between. At most one leader in a term, and no
 * leader without an entry that was committed before: so no two majorities decide apart.
 *
 *   spin -a membership.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * Twins that must fail:
 *   -DNO_JOINT_PHASE     the leader goes over to the new members directly
 *   -DLEAVE_EARLY        the leader leaves the joint phase before that is committed
 *
 * A log holds nothing but members: at 1 the old ones, known to all of them, at 2 both, at 3 the new
 * ones. (Directly: at 2 the new ones.) An entry is told by its index and its term. A member follows the
 * last entry of its log, committed or not.
 *
 * A request and its answer are one step. One that is lost does not happen; one that is late and still
 * counts could as well have come when it is counted.
 */

#define N 4
#ifndef MAX_TERM
#define MAX_TERM 3
#endif
#define MAX_CRASHES 1
#define NOBODY N

#define bit_of(i) (1 << (i))

/* Two of {0, 1, 2}, two of {0, 2, 3}. */
#define two(a, b, c) ((a) + (b) + (c) >= 2)
#define in(set, i) (((set) >> (i)) & 1)
#define old_majority(set) two(in(set, 0), in(set, 1), in(set, 2))
#define new_majority(set) two(in(set, 0), in(set, 2), in(set, 3))

#ifdef NO_JOINT_PHASE
#define LAST 2
#define quorum(length, set) (length == 1 -> old_majority(set) : new_majority(set))
#define is_member(length, i) (length == 1 -> i != 3 : (length == 2 -> i != 1 : false))
#else
#define LAST 3
#define quorum(length, set)                                          \
  (length == 1 -> old_majority(set)                                  \
    : (length == 2 -> old_majority(set) && new_majority(set) : new_majority(set)))
#define is_member(length, i) \
  (length == 1 -> i != 3 : (length == 2 -> true : (length == 3 -> i != 1 : false)))
#endif

mtype = { follower, candidate, leader };

/* Durable. The terms of the entries at 2 and 3; that at 1 is of term 0. */
byte term[N];
byte votedFor[N];
byte length[N];
byte second[N];
byte third[N];

/* Lost by a crash. */
mtype role[N];
byte votes[N];       /* bits of voters */
byte hasSecond[N];   /* bits of members that confirmed this leader's entry at 2 */
byte hasThird[N];

byte crashes;
byte leaderOf[MAX_TERM + 1];
byte committedSecond; /* its term; 0 before */
byte secondSince;     /* the term in which it was committed */
byte committedThird;

#define last_term(i) (length[i] == 3 -> third[i] : (length[i] == 2 -> second[i] : 0))
#define is_behind(a, b) \
  (last_term(a) < last_term(b) || (last_term(a) == last_term(b) && length[a] < length[b]))

inline follow(who, newTerm) {
  if
  :: newTerm > term[who] ->
    term[who] = newTerm;
    votedFor[who] = NOBODY;
    stepDown(who)
  :: else
  fi
}

inline stepDown(who) {
  role[who] = follower;
  votes[who] = 0;
  hasSecond[who] = 0;
  hasThird[who] = 0
}

inline campaign() {
  stepDown(me);
  term[me]++;
  votedFor[me] = me;
  role[me] = candidate;
  votes[me] = bit_of(me)
}

inline askForVote(voter) {
  follow(voter, term[me]);
  if
  :: (votedFor[voter] == NOBODY || votedFor[voter] == me) && !is_behind(me, voter) ->
    votedFor[voter] = me;
    votes[me] = votes[me] | bit_of(voter)
  :: else
  fi
}

inline lead() {
  assert(leaderOf[term[me]] == NOBODY || leaderOf[term[me]] == me);
  /* Leader completeness (3.6.3); an election may also be won when its term is long over. */
  assert(committedSecond == 0 || secondSince >= term[me]
    || (length[me] >= 2 && second[me] == committedSecond));
  assert(committedThird == 0 || committedThird >= term[me]
    || (length[me] == 3 && third[me] == committedThird));
  leaderOf[term[me]] = me;
  role[me] = leader;
  votes[me] = 0;
  hasSecond[me] = (length[me] >= 2 -> bit_of(me) : 0);
  hasThird[me] = (length[me] >= 3 -> bit_of(me) : 0)
}

/* The leader puts the next configuration into its log. */
inline change() {
  length[me]++;
  if
  :: length[me] == 2 -> second[me] = term[me]; hasSecond[me] = bit_of(me)
  :: else -> third[me] = term[me]; hasThird[me] = bit_of(me)
  fi
}

/* A follower takes over the leader's log. What it has beyond that stays, if all before agrees. */
inline replicate(to) {
  follow(to, term[me]);
  if
  :: role[to] == candidate -> stepDown(to)
  :: else
  fi;
  if
  :: length[me] == 1 && length[to] == 0 -> length[to] = 1
  :: length[me] == 2 && (length[to] < 2 || second[to] != second[me]) ->
    length[to] = 2;
    second[to] = second[me];
    third[to] = 0
  :: length[me] == 3 ->
    length[to] = 3;
    second[to] = second[me];
    third[to] = third[me]
  :: else
  fi;
  hasSecond[me] = (length[me] >= 2 -> hasSecond[me] | bit_of(to) : 0);
  hasThird[me] = (length[me] >= 3 -> hasThird[me] | bit_of(to) : 0)
}

/* An entry of an older term is committed by one of the present term behind it (3.6.2). */
#define commits_third(i) (length[i] == 3 && third[i] == term[i] && quorum(3, hasThird[i]))
#define commits_second(i) \
  (length[i] >= 2 && second[i] == term[i] && quorum(length[i], hasSecond[i]))

inline commitSecond() {
  assert(committedSecond == 0 || committedSecond == second[me]);
  if
  :: committedSecond == 0 -> secondSince = term[me]
  :: else
  fi;
  committedSecond = second[me]
}

inline commitThird() {
  assert(committedThird == 0 || committedThird == third[me]);
  committedThird = third[me];
  commitSecond()
}

#ifdef LEAVE_EARLY
#define may_change(i) (length[i] < LAST)
#else
/* One change at a time: the entry before this one is committed. */
#define may_change(i) \
  (length[i] < LAST && (length[i] == 1 || (second[i] == committedSecond)))
#endif

proctype Member(byte me) {
  byte other;
end:
  do
  :: atomic { term[me] < MAX_TERM && role[me] != leader && is_member(length[me], me) -> campaign() }
  :: atomic {
      role[me] == candidate ->
      select(other : 0 .. N - 1);
      if
      :: other != me && term[other] <= term[me] -> askForVote(other)
      :: else
      fi;
      other = 0
    }
  :: atomic { role[me] == candidate && quorum(length[me], votes[me]) -> lead() }
  :: atomic { role[me] == leader && may_change(me) -> change() }
  :: atomic {
      role[me] == leader ->
      select(other : 0 .. N - 1);
      if
      :: other != me && term[other] <= term[me] -> replicate(other)
      :: else
      fi;
      other = 0
    }
  :: atomic {
      role[me] == leader && commits_second(me) && committedSecond != second[me] -> commitSecond()
    }
  :: atomic {
      role[me] == leader && commits_third(me) && committedThird != third[me] -> commitThird()
    }
  :: atomic { crashes < MAX_CRASHES && role[me] != follower -> crashes++; stepDown(me) }
  od
}

init {
  atomic {
    byte i;
    for (i : 0 .. N - 1) {
      votedFor[i] = NOBODY;
      role[i] = follower;
      length[i] = (i == 3 -> 0 : 1)
    }
    for (i : 0 .. MAX_TERM) {
      leaderOf[i] = NOBODY
    }
    for (i : 0 .. N - 1) {
      run Member(i)
    }
  }
}
