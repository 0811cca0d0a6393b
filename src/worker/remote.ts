/**
 * The worker that asks other servers for the engine: it gets a port to the engine, and through it addresses and byte
 * ranges. Started from its own address, so the policy of the page does not reach it; it holds nothing to send.
 */
import { serveFetch } from './remote-fetch'

self.onmessage = ({ ports }: MessageEvent) => {
  const [port] = ports
  if (!port) return
  serveFetch(port, (input, init) => {
    // The page counts its requests, and the browser does not show it those of a worker.
    self.postMessage(new URL(input instanceof Request ? input.url : input).origin)
    return fetch(input, init)
  })
}
