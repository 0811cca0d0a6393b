import { expect, test } from 'vitest'
import { openNodeGpu } from '../../src/cli/node-gpu'

test('one device serves the process, each time with buffers of its own, as large as is allowed that time', async () => {
  const first = await openNodeGpu()
  const [second, limited] = await Promise.all([openNodeGpu(), openNodeGpu(2 ** 20)])
  for (const { device } of [second, limited]) expect(device === first.device).toBe(true)
  const buffer = first.pool.acquire(512, 'a buffer')
  expect([first.pool.liveBytes, second.pool.liveBytes]).toEqual([512, 0])
  first.pool.release(buffer)
  expect(limited.pool.limitBytes).toBe(2 ** 20)
  expect(second.pool.limitBytes).toBe(first.pool.limitBytes)
  expect(first.pool.limitBytes).toBeGreaterThan(2 ** 20)
})
