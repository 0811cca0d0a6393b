import { REMOTE_REQUEST } from '../worker/protocol'

/**
 * Calls back with the number of network requests since now, from the browser's own timing records and those of the
 * network worker, which are in none, and how many of them went to another site. Returns what stops it.
 */
export function countRequests(report: (total: number, elsewhere: number) => void): () => void {
  const start = performance.now()
  let total = 0
  let elsewhere = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const url = new URL(entry.name, document.baseURI)
      if (entry.startTime < start || !url.protocol.startsWith('http')) continue
      total += 1
      if (url.origin !== location.origin) elsewhere += 1
    }
    report(total, elsewhere)
  })
  observer.observe({ type: 'resource' })
  const onRemote = (event: Event) => {
    total += 1
    if (!(event instanceof CustomEvent && event.detail === location.origin)) elsewhere += 1
    report(total, elsewhere)
  }
  document.addEventListener(REMOTE_REQUEST, onRemote)
  return () => {
    observer.disconnect()
    document.removeEventListener(REMOTE_REQUEST, onRemote)
  }
}
