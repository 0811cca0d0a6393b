import { type ByteSource, type SliceOptions, watchedSource } from './byte-source'
import { readBytes } from './read-bytes'

/** Several sources one behind the other, read as one. A read that fails is told of the source it failed in. */
export function joinSources(name: string, sources: readonly ByteSource[]): ByteSource {
  const starts: number[] = []
  let byteLength = 0
  for (const source of sources) {
    starts.push(byteLength)
    byteLength += source.byteLength
  }
  const slice = async (start: number, end: number, options: SliceOptions = {}): Promise<ArrayBuffer> => {
    const touched = sources.flatMap((source, i) => {
      const [from, to] = [Math.max(start - starts[i], 0), Math.min(end - starts[i], source.byteLength)]
      return from < to ? [{ source, from, to }] : []
    })
    const parts: Uint8Array[] = []
    let filled = 0
    for (const { source, from, to } of touched) {
      const before = filled
      const onBytes = (done: number) => options.onBytes?.(before + done)
      const watched = watchedSource(source, { signal: options.signal, onBytes })
      const part = await readBytes(watched, from, to)
      if (touched.length === 1) return part
      parts.push(new Uint8Array(part))
      filled += to - from
    }
    const bytes = new Uint8Array(filled)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes.buffer
  }
  return { name, byteLength, slice }
}
