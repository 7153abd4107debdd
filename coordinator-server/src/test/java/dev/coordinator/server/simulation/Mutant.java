// SPDX-License-Identifier: Apache-2.0
package dev.coordinator.server.simulation;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A known mistake, planted into one class of the shipped code by an edit of its source.
 *
 * <p>The edit must fit exactly one place, so a mutant that no longer means anything fails its test
 * instead of passing it. The edited class is compiled in memory and seen only by the class loader
 * that {@link #classLoader} makes; nothing of it reaches the jar.
 *
 * @param name what the mistake is
 * @param shipped where such a mistake was shipped or found; may be empty
 * @param firstSeed the first seed, from 1 on, that is known to find it; 1 if none is
 * @param className the class it sits in
 * @param original the lines it replaces, each with its end
 * @param planted what stands there instead
 */
record Mutant(
    String name,
    String shipped,
    long firstSeed,
    String className,
    String original,
    String planted) {

  private static final Path SOURCES = Path.of("src", "main", "java");
  static final String OURS = "dev.coordinator.server.";

  @Override
  public String toString() {
    return name;
  }

  /** Loads every class of the server and of its tests anew, the mutated one among them. */
  ClassLoader classLoader() {
    Map<String, byte[]> mutated = compile();
    return new ClassLoader(Mutant.class.getClassLoader()) {
      @Override
      protected Class<?> loadClass(String wanted, boolean resolve) throws ClassNotFoundException {
        if (!wanted.startsWith(OURS)) {
          return super.loadClass(wanted, resolve);
        }
        synchronized (getClassLoadingLock(wanted)) {
          Class<?> loaded = findLoadedClass(wanted);
          if (loaded == null) {
            byte[] code = mutated.containsKey(wanted) ? mutated.get(wanted) : original(wanted);
            loaded = defineClass(wanted, code, 0, code.length);
          }
          return loaded;
        }
      }

      private byte[] original(String wanted) throws ClassNotFoundException {
        String resource = wanted.replace('.', '/') + ".class";
        try (InputStream in = getParent().getResourceAsStream(resource)) {
          if (in == null) {
            throw new ClassNotFoundException(wanted);
          }
          return in.readAllBytes();
        } catch (IOException e) {
          throw new ClassNotFoundException(wanted, e);
        }
      }
    };
  }

  private Map<String, byte[]> compile() {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(diagnostics, null, null);
        InMemoryOutput output = new InMemoryOutput(files)) {
      List<String> options =
          List.of("-proc:none", "-classpath", System.getProperty("java.class.path"));
      boolean compiled =
          compiler
              .getTask(null, output, diagnostics, options, null, List.of(editedSource()))
              .call();
      if (!compiled) {
        throw new IllegalStateException(name + ": " + diagnostics.getDiagnostics());
      }
      return output.classes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private JavaFileObject editedSource() throws IOException {
    Path file = SOURCES.resolve(className.replace('.', '/') + ".java");
    String source = Files.readString(file);
    int place = source.indexOf("\n" + original) + 1;
    if (place <= 0 || source.indexOf("\n" + original, place) >= 0) {
      throw new IllegalStateException(
          name + ": its lines must stand exactly once in " + file + ":\n" + original);
    }
    String edited =
        source.substring(0, place) + planted + source.substring(place + original.length());
    return new SimpleJavaFileObject(
        URI.create("string:///" + className.replace('.', '/') + ".java"),
        JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return edited;
      }
    };
  }

  /** Keeps compiled classes in memory. */
  private static final class InMemoryOutput extends ForwardingJavaFileManager<JavaFileManager> {

    private final Map<String, ByteArrayOutputStream> outputs = new HashMap<>();

    InMemoryOutput(JavaFileManager files) {
      super(files);
    }

    Map<String, byte[]> classes() {
      Map<String, byte[]> classes = new HashMap<>();
      outputs.forEach((className, bytes) -> classes.put(className, bytes.toByteArray()));
      return classes;
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      outputs.put(className, bytes);
      return new SimpleJavaFileObject(
          URI.create("memory:///" + className.replace('.', '/') + kind.extension), kind) {
        @Override
        public OutputStream openOutputStream() {
          return bytes;
        }
      };
    }
  }
}
