import { FileError, isAbort } from '../core/errors'
import type { ByteSource } from './byte-source'
import { byteAt, grouped } from './number-text'

/**
 * Bytes [start, end) of `source`, exactly that many. Throws FileError IO-01 when the system cannot read them or gives
 * fewer, as happens when a file is changed or removed after it was opened; a FileError of the source itself and the error of
 * an aborted signal pass through.
 */
export async function readBytes(source: ByteSource, start: number, end: number): Promise<ArrayBuffer> {
  let bytes: ArrayBuffer
  try {
    bytes = await source.slice(start, end)
  } catch (cause) {
    // A source that already says what is wrong is not paraphrased, and a cancelled read is no error.
    if (cause instanceof FileError || isAbort(cause)) throw cause
    const message = `${source.name}: ${grouped(end - start)} bytes at ${byteAt(start)} could not be read. Open the file again.`
    throw new FileError('IO-01', message, { cause })
  }
  if (bytes.byteLength === end - start) return bytes
  const expected = `expected ${grouped(end - start)} bytes at ${byteAt(start)}, found ${grouped(bytes.byteLength)}`
  throw new FileError('IO-01', `${source.name}: ${expected}. The file has changed since it was opened; open it again.`)
}
