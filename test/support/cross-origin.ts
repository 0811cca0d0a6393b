/** A server of another origin for the tests that run in a browser, whose address they inject. */
import type { TestProject } from 'vitest/node'
import { type Fault, partHeaders, startRangeServer } from './range-server'

declare module 'vitest' {
  interface ProvidedContext {
    crossOrigin: string
  }
}

/** A right answer with more headers. */
const withHeaders =
  (more: Record<string, string>): Fault =>
  (_request, response, context) => {
    const { bytes, start, end } = context
    const { 'Content-Length': length, ...headers } = partHeaders(context)
    const told = 'Transfer-Encoding' in more ? {} : { 'Content-Length': length }
    response.writeHead(206, { ...headers, ...told, ...more }).end(bytes.subarray(start, end))
    return true
  }

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = await startRangeServer()
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i & 255)
  const anyone = { 'Access-Control-Allow-Origin': '*' }
  server.serve(
    '/allowed.bin',
    bytes,
    withHeaders({ ...anyone, 'Access-Control-Expose-Headers': 'Content-Range, ETag' }),
  )
  server.serve('/unexposed.bin', bytes, withHeaders(anyone))
  server.serve('/secretive.bin', bytes, withHeaders({ ...anyone, 'Transfer-Encoding': 'chunked' }))
  server.serve('/forbidden.bin', bytes)
  provide('crossOrigin', server.origin)
  return () => server.close()
}
