/** Anything that can be read by ranges: a File, a buffer, a file on disk. The reader knows nothing else about it. */
export interface ByteSource {
  readonly name: string
  readonly byteLength: number
  /** Bytes [start, end), end at most byteLength. */
  slice(start: number, end: number): Promise<ArrayBuffer>
}

export function blobSource(name: string, blob: Blob): ByteSource {
  return { name, byteLength: blob.size, slice: (start, end) => blob.slice(start, end).arrayBuffer() }
}
