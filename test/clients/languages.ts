// The commands that build the client package of each language and run its example.
//
// An example takes the router's address and prints three lines:
//
//   answer: LABEL DIGEST              of the text "a small furry animal"; DIGEST has 16 hexadecimal digits
//   stream: COUNT answers, DIGEST of the last    of the texts "a small furry animal", "a musical instrument with strings"
// and "to run very fast"; the last is the last request, in whatever order the answers arrived
//   error: REASON                     of `encoding` [1, 2, 3], which is too short for every shipped model

export interface Language {
  readonly name: string;
  /** Programs that must be on PATH. A language that lacks one is skipped. */
  readonly needs: readonly string[];
  /** Builds the package. Commands run in bash, in the repository's folder. */
  readonly build: string;
  /** The package's own tests, if they are not among the project's. */
  readonly test?: string;
  /** Runs the example against the router at $ADDRESS, as in docs/clients.md. */
  readonly run: string;
}

export const LANGUAGES: readonly Language[] = [
  {
    name: 'typescript',
    needs: ['npm'],
    build: 'scripts/clients typescript',
    run: 'bash docs/examples/typescript/run $ADDRESS',
  },
  {
    name: 'python',
    needs: ['python3'],
    build: 'scripts/clients python',
    test: 'bash services/clients/python/test',
    run: 'bash docs/examples/python/run $ADDRESS',
  },
  {
    name: 'go',
    needs: ['go'],
    build: 'scripts/clients go',
    test: 'cd .cache/clients/go && go test ./...',
    run: 'bash docs/examples/go/run $ADDRESS',
  },
  {
    name: 'rust',
    needs: ['cargo', 'protoc'],
    build: 'scripts/clients rust',
    test: 'cargo test --quiet --manifest-path services/clients/rust/Cargo.toml --target-dir .cache/clients-rust',
    run: 'bash docs/examples/rust/run $ADDRESS',
  },
  {
    name: 'java',
    needs: ['java', 'mvn'],
    build: 'scripts/clients java',
    test: 'mvn --quiet --batch-mode --file services/clients/java/pom.xml test',
    run: 'bash docs/examples/java/run $ADDRESS',
  },
  {
    name: 'cpp',
    needs: ['cmake', 'c++', 'grpc_cpp_plugin'],
    build: 'scripts/clients cpp',
    test: 'bash services/clients/cpp/test',
    run: 'bash docs/examples/cpp/run $ADDRESS',
  },
];
