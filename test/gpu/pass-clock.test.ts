import { expect, test } from 'vitest'
import { copyMatrix } from '../../src/gpu/kernels/copy-vec4'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { createPassClock, type PassClock } from '../../src/gpu/pass-clock'
import { Recorder } from '../../src/gpu/recorder'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'

const t = gpuFixture()

/** Fails where the device has no clock: the adapters tests run on have one. */
async function withClock(use: (clock: PassClock) => Promise<void>): Promise<void> {
  const clock = createPassClock(t.gpu.device)
  if (!clock) throw new Error('expected a device with timestamp-query')
  try {
    await use(clock)
  } finally {
    clock.destroy()
  }
}

test('passes of a recorder are timed: more work takes longer, and no more than there was', async () => {
  await withClock(async (passClock) => {
    const x = uploadMatrix(t.gpu, t.arena, gaussian(256, 256, 1), 'x')
    const timed = async (products: number) => {
      const recorder = new Recorder({ ...t.gpu, passClock })
      for (let i = 0; i < products; i++) matmulNt(recorder, t.arena, x, x)
      const start = performance.now()
      recorder.submit()
      await t.gpu.device.queue.onSubmittedWorkDone()
      const wallMs = performance.now() - start
      return { passMs: (await passClock.take()) ?? Number.NaN, wallMs }
    }
    const singles = [await timed(1), await timed(1), await timed(1)].map(({ passMs }) => passMs)
    const eight = await timed(8)
    expect(Math.min(...singles)).toBeGreaterThan(0)
    expect(eight.passMs).toBeGreaterThan(2 * Math.min(...singles))
    expect(eight.passMs).toBeLessThanOrEqual(eight.wallMs + 1)
  })
})

test('every pass is counted, each once, and without one there is no time', async () => {
  await withClock(async (passClock) => {
    expect(await passClock.take()).toBeNull()
    const small = uploadMatrix(t.gpu, t.arena, gaussian(32, 32, 1), 'x')
    const large = uploadMatrix(t.gpu, t.arena, gaussian(256, 256, 1), 'x')
    const timed = async (products: number) => {
      const recorder = new Recorder({ ...t.gpu, passClock })
      const copy = copyMatrix(recorder, t.arena, small)
      // A clear ends the pass, so that products are in a second one.
      recorder.clear(copy.buffer)
      for (let i = 0; i < products; i++) matmulNt(recorder, t.arena, large, large)
      recorder.submit()
      return (await passClock.take()) ?? Number.NaN
    }
    const copies = [await timed(0), await timed(0), await timed(0)]
    expect(await timed(2)).toBeGreaterThan(3 * Math.min(...copies))
    expect(await passClock.take()).toBeNull()
  })
})

test('beyond its room a clock says nothing rather than too little, and can be used again', async () => {
  await withClock(async (passClock) => {
    const given = Array.from({ length: 2049 }, () => passClock.timestampWrites())
    expect(given.map((writes) => writes?.endOfPassWriteIndex).slice(-2)).toEqual([4095, undefined])
    expect(await passClock.take()).toBeNull()
    expect(passClock.timestampWrites()).toMatchObject({ beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 })
  })
})
