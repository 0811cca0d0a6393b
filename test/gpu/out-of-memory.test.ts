import { expect, test } from 'vitest'
import { Arena } from '../../src/gpu/arena'
import { OutOfMemory } from '../../src/gpu/buffer-pool'
import { openGpu } from '../../src/gpu/device'
import { withErrorScopes } from '../../src/gpu/error-scope'
import { testNavigatorGpu } from '../support/gpu'
import { limitMemory } from '../support/limit-memory'

const MIB = 2 ** 20

test('a large buffer that cannot be had ends the work soon, with its numbers, until the pool is trimmed', async () => {
  const gpu = await openGpu(await testNavigatorGpu())
  limitMemory(gpu.device, 40 * MIB)
  const arena = new Arena(gpu)
  const { signal } = new AbortController()
  let steps = 0
  const work = async () => {
    for (; steps < 9; steps++) {
      arena.buffer(17 * MIB, `matrix ${steps}`)
      await gpu.device.queue.onSubmittedWorkDone()
    }
  }
  const error = await withErrorScopes(gpu, signal, work).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OutOfMemory)
  expect(error).toMatchObject({
    code: 'GP-03',
    message:
      'out of GPU memory: "matrix 2" needs 17.0 MiB beside 34.0 MiB in use. Use fewer tokens or a smaller tensor.',
    lacking: { bytes: 17 * MIB, liveBytes: 34 * MIB },
  })
  expect(steps).toBeLessThan(9)
  arena.release()
  gpu.pool.trim()
  expect(await gpu.pool.settled()).toBeNull()
  await expect(withErrorScopes(gpu, signal, async () => arena.buffer(17 * MIB, 'again'))).resolves.toBeDefined()
  arena.release()
  gpu.device.destroy()
})
