/** How a read is watched and ended. */
export interface SliceOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes that have come so far, by sources that get them one after the other. */
  readonly onBytes?: ((done: number) => void) | undefined
}

/** Anything that can be read by ranges: a File, a buffer, a file on disk or on a server. The reader knows nothing else about it. */
export interface ByteSource {
  readonly name: string
  readonly byteLength: number
  /** Bytes [start, end), end at most byteLength. */
  slice(start: number, end: number, options?: SliceOptions): Promise<ArrayBuffer>
}

export function blobSource(name: string, blob: Blob): ByteSource {
  return { name, byteLength: blob.size, slice: (start, end) => blob.slice(start, end).arrayBuffer() }
}

/** The same bytes, read under `options`. */
export function watchedSource(source: ByteSource, options: SliceOptions): ByteSource {
  const { name, byteLength } = source
  return { name, byteLength, slice: (start, end) => source.slice(start, end, options) }
}
