/** Text to compressed bytes and back. */

/** UTF-8. */
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

async function through(
  { readable, writable }: CompressionStream | DecompressionStream,
  parts: readonly Uint8Array<ArrayBuffer>[],
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = writable.getWriter()
  const written = (async () => {
    for (const part of parts) await writer.write(part)
    await writer.close()
  })()
  const chunks: Uint8Array[] = []
  const reader = readable.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value)
  await written
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** `parts`, one behind another, in gzip. */
export const packed = (parts: readonly Uint8Array<ArrayBuffer>[]) => through(new CompressionStream('gzip'), parts)

/** The text that was packed; rejects for bytes that are not whole. */
export async function unpackedText(bytes: Uint8Array): Promise<string> {
  const copy = new Uint8Array(bytes)
  return new TextDecoder().decode(await through(new DecompressionStream('gzip'), [copy]))
}
