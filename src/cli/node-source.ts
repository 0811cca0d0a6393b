import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { FileError } from '../core/errors'
import type { ByteSource } from '../io/byte-source'

/** A file on disk read by ranges; `close` it when done. */
export interface NodeSource extends ByteSource {
  close(): Promise<void>
}

async function readRange(handle: FileHandle, name: string, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start)
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled)
    if (bytesRead === 0) {
      throw new FileError('FS-03', `${name}: expected ${end} bytes, the file ended at byte ${start + filled}.`)
    }
    filled += bytesRead
  }
  return bytes.buffer
}

/** Opens a file of the disk. Throws FileError FS-01 when it is not there, not readable, or a device. */
export async function openSource(path: string): Promise<NodeSource> {
  const name = basename(path)
  const refuse = (reason: string, cause?: unknown) => new FileError('FS-01', `${path}: ${reason}.`, { cause })
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw refuse(cause.code === 'ENOENT' ? 'no such file' : `cannot be opened (${cause.message})`, cause)
  })
  const stats = await handle.stat()
  if (!stats.isFile()) {
    await handle.close()
    throw refuse('expected a file, found a device')
  }
  return {
    name,
    byteLength: stats.size,
    slice: (start, end) => readRange(handle, name, start, end),
    close: () => handle.close(),
  }
}
