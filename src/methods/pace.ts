import type { Gpu } from '../gpu/device'
import type { Recorder } from '../gpu/recorder'

/** About 0.2 s in software, 50 ms on a GPU of 0.5 TFLOP/s. */
const SOFTWARE_OPERATIONS = 6e8
const HARDWARE_OPERATIONS = 2.5e10

/** Multiplies and adds one submit may hold so that the queue stays short (docs/performance.md, runtime). */
export function operationsPerSubmit({ adapter }: Gpu): number {
  return adapter.isSoftware ? SOFTWARE_OPERATIONS : HARDWARE_OPERATIONS
}

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
