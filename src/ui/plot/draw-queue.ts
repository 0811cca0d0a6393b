/**
 * One drawing per animation frame, one at a time: twelve tiles drawn in one go would block the page for more than a
 * tenth of a second, and two surfaces at once would hold two WebGL contexts.
 */
type Job = () => unknown

const waiting: Job[] = []
let active = false

async function drain(): Promise<void> {
  active = true
  while (waiting.length > 0) {
    await new Promise(requestAnimationFrame)
    await waiting.shift()?.()
  }
  active = false
}

/** Puts `job` at the end of the queue; the answer takes it out again if it has not started. A job may return a promise, which is waited for;
 * neither may fail. */
export function enqueueDraw(job: Job): () => void {
  waiting.push(job)
  if (!active) void drain()
  return () => {
    const at = waiting.indexOf(job)
    if (at >= 0) waiting.splice(at, 1)
  }
}
