/**
 * The error classes of the product. Each carries a stable `code` (spec of messages: docs/errors.md) and a message of
 * the form "what: expected this, found that". Lower-level failures go in `cause`.
 */
export class MxError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A file cannot be used. The UI says so beside the drop zone and keeps the old state. */
export class FileError extends MxError {}

/** Settings cannot be combined, a name is unknown, or a shape is wrong. The UI marks the control. */
export class InputError extends MxError {}

/** This browser, driver or device lacks something. */
export class UnsupportedError extends MxError {}

/** What would help where memory ran out, for a button: use so many tokens. */
export interface Proposal {
  readonly kind: 'tokens'
  readonly tokens: number
}

/** The device was lost, ran out of memory, or refused a command. */
export class GpuError extends MxError {
  readonly proposal: Proposal | null

  constructor(code: string, message: string, options?: ErrorOptions & { readonly proposal?: Proposal | null }) {
    super(code, message, options)
    this.proposal = options?.proposal ?? null
  }
}

/** What crosses a worker boundary or goes into a JSON report instead of an Error. */
export interface ErrorReport {
  readonly kind: 'file' | 'input' | 'unsupported' | 'gpu' | 'bug'
  readonly code: string
  readonly message: string
  readonly proposal?: Proposal
}

/** Describes any thrown value as plain data. */
export function reportError(error: unknown): ErrorReport {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof FileError) return { kind: 'file', code: error.code, message }
  if (error instanceof InputError) return { kind: 'input', code: error.code, message }
  if (error instanceof UnsupportedError) return { kind: 'unsupported', code: error.code, message }
  if (error instanceof GpuError) {
    return { kind: 'gpu', code: error.code, message, ...(error.proposal && { proposal: error.proposal }) }
  }
  return { kind: 'bug', code: 'BUG', message }
}

/** True for the DOMException that an aborted signal throws. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
