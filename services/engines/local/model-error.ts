// Why a model cannot be used. Every refusal names the node and the field (proto/NUMERICS.md, "Errors in a file").

export class ModelError extends Error {
  override readonly name = 'ModelError';

  /** An error of the file as a whole. */
  static file(problem: string): ModelError {
    return new ModelError(`model.nir: ${problem}`);
  }

  /** The file made the reader crash, so the reader must not be used again. `cause` has the error. */
  static fatal(cause: unknown): ModelError {
    const error = ModelError.file('cannot be read: the file is damaged');
    error.cause = cause;
    return error;
  }

  get isFatal(): boolean {
    return this.cause !== undefined;
  }

  /** An error in one field of one node. The root graph has no name. */
  static field(node: string, field: string, problem: string): ModelError {
    const owner = node === '' ? 'the root graph' : `node "${node}"`;
    return new ModelError(`${owner}: field "${field}": ${problem}`);
  }
}
