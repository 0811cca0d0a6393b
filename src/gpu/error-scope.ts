import { GpuError, isAbort } from '../core/errors'
import { OutOfMemory } from './buffer-pool'
import type { Gpu } from './device'

/**
 * Runs `task` and turns what the device reports meanwhile into exceptions: GpuError OutOfMemory (GP-03) when memory ran out,
 * GP-05 when a command was refused, GP-04 when the device was lost. Anything else the task throws passes through, an
 * aborted `signal` included. After a failure the caller releases its arena and trims the pool: one of the buffers may be
 * the allocation that failed, and must not be handed out again.
 */
export async function withErrorScopes<T>(gpu: Gpu, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
  const { device, pool } = gpu
  device.pushErrorScope('out-of-memory')
  device.pushErrorScope('validation')
  const outcome = await task().then(
    (value) => ({ ok: true, value }) as const,
    (error: unknown) => ({ ok: false, error }) as const,
  )
  // A lost device may refuse to answer; the task's own error then says more.
  const refused = await device.popErrorScope().catch(() => null)
  const exhausted = await device.popErrorScope().catch(() => null)
  const lacking = await pool.settled()
  if (lacking) throw lacking
  if (exhausted) throw new OutOfMemory(exhausted.message, null)
  // Mapping a buffer of a lost device ends in the same AbortError as a cancelled run; other calls have errors of their own.
  if (!outcome.ok && !signal.aborted && (isAbort(outcome.error) || (await isLost(device)))) {
    throw new GpuError('GP-04', 'GPU device lost while it was computing.', { cause: outcome.error })
  }
  if (refused) throw new GpuError('GP-05', `the GPU refused a command: ${refused.message}`)
  if (!outcome.ok) throw outcome.error
  return outcome.value
}

/** Whether the device is lost by now: the promise is settled where it is, and a moment is left for the news to arrive. */
async function isLost({ lost }: GPUDevice): Promise<boolean> {
  const moment = new Promise<false>((resolve) => setTimeout(() => resolve(false)))
  return Promise.race([lost.then(() => true), moment])
}
