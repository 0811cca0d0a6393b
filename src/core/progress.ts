/** Progress in units the user understands: `done` of `total` steps of `stage`. */
export interface Progress {
  readonly stage: string
  readonly done: number
  readonly total: number
  /** Relative output error √L at this step of a learned method, when there is one. */
  readonly loss?: number
}

/** What every long-running function takes. */
export interface RunOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
  readonly seed: number
}
