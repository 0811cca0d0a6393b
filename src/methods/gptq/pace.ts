import type { Recorder } from '../../gpu/recorder'

/**
 * A function that submits what `recorder` holds and returns once at most this submit is unfinished: the queue stays
 * short, and a cancelled run ends within two submits. Rejects with the AbortError of `signal`.
 */
export function pacedSubmit(recorder: Recorder, signal: AbortSignal): () => Promise<void> {
  let previous: Promise<unknown> = Promise.resolve()
  return async () => {
    recorder.submit()
    await previous
    previous = recorder.gpu.device.queue.onSubmittedWorkDone()
    previous.catch(() => {}) // seen by the next await; without this a throw in between would count as unhandled
    signal.throwIfAborted()
  }
}
