import { GpuError, isAbort } from '../core/errors'
import type { Gpu } from './device'

/**
 * Runs `task` and turns what the device reports meanwhile into exceptions: GpuError GP-03 when memory ran out,
 * GP-05 when a command was refused, GP-04 when the device was lost. Anything else the task throws passes through, an
 * aborted `signal` included. After a failure the caller releases its arena and trims the pool: one of the buffers may be
 * the allocation that failed, and must not be handed out again.
 */
export async function withErrorScopes<T>(gpu: Gpu, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
  const { device } = gpu
  device.pushErrorScope('out-of-memory')
  device.pushErrorScope('validation')
  const outcome = await task().then(
    (value) => ({ ok: true, value }) as const,
    (error: unknown) => ({ ok: false, error }) as const,
  )
  // A lost device may refuse to answer; the task's own error then says more.
  const refused = await device.popErrorScope().catch(() => null)
  const exhausted = await device.popErrorScope().catch(() => null)
  if (exhausted) {
    throw new GpuError('GP-03', `out of GPU memory (${exhausted.message}). Use fewer tokens or a smaller tensor.`)
  }
  // Mapping a buffer of a lost device ends in the same AbortError as a cancelled run.
  if (!outcome.ok && isAbort(outcome.error) && !signal.aborted) {
    throw new GpuError('GP-04', 'GPU device lost while it was computing.', { cause: outcome.error })
  }
  if (refused) throw new GpuError('GP-05', `the GPU refused a command: ${refused.message}`)
  if (!outcome.ok) throw outcome.error
  return outcome.value
}
