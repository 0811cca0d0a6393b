/**
 * Returns a function that waits until `device` has done what was submitted, and throws when it has refused any of it:
 * a refused command takes no time, and would look fast.
 */
export function idleOf(device: GPUDevice, library: string): () => Promise<void> {
  let refusal: string | null = null
  device.addEventListener('uncapturederror', ({ error }) => {
    refusal ??= error.message
  })
  return async () => {
    await device.queue.onSubmittedWorkDone()
    if (refusal !== null) throw new Error(`${library}: the GPU refused a command: ${refusal}`)
  }
}
