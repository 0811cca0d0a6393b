// What is compiled ahead of a run, and when. That a rehearsal finds what runs use: grid.test.ts, over all methods.
import { describe, expect, it } from 'vitest'
import { GpuError } from '../../src/core/errors'
import { requestOf } from '../../src/experiment/bench/comparison-cases'
import type { MethodOutcome } from '../../src/experiment/result'
import { runComparison } from '../../src/experiment/run-comparison'
import { type RehearsedLayer, rehearse, warmUp } from '../../src/experiment/warm-up'
import type { Gpu } from '../../src/gpu/device'
import type { Kernel } from '../../src/gpu/pipeline-cache'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()

const SHAPE: RehearsedLayer = {
  outDim: 32,
  inDim: 64,
  calibrationTokens: 48,
  evaluationTokens: 48,
  sameRows: true,
}

const plain = (methods: readonly string[]) => requestOf(methods.map((id) => ({ id, options: {} })))

/** Lets everything that waits for nothing but its turn go on. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve))
}

/** The fixture's device whose compiler answers when told to. */
function slowCompiler() {
  const begun: string[] = []
  const answers: (() => void)[] = []
  const warm = (kernel: Kernel) => {
    begun.push(kernel.name)
    return new Promise<void>((resolve) => answers.push(resolve))
  }
  const gpu: Gpu = { ...t.gpu, pipelines: { ...t.gpu.pipelines, warm } }
  return { gpu, begun, answerOne: () => answers.shift()?.() }
}

describe('rehearse', () => {
  it('finds the kernels of the work in order, each once, and takes no memory of the device', async () => {
    const context = { gpu: t.gpu, signal: new AbortController().signal }
    const uses = await rehearse(SHAPE, plain(['rtn', 'quarot']), context)
    const names = uses.map(({ kernel }) => kernel.name)
    expect(names[0]).toBe('matmul_nt')
    expect(names).toContain('fake_quantize')
    expect(names.indexOf('hadamard_butterfly')).toBeGreaterThan(names.indexOf('moments'))
    expect(
      new Set(uses.map(({ kernel, overrides }) => JSON.stringify([kernel.name, kernel.variant, overrides]))).size,
    ).toBe(uses.length)
    expect(t.gpu.pool.peakBytes).toBe(0)
  })

  it('follows the width: a factor too wide for the CPU is computed by kernels', async () => {
    const context = { gpu: t.gpu, signal: new AbortController().signal }
    const namesAt = async (inDim: number) =>
      (await rehearse({ ...SHAPE, inDim }, plain(['gptq']), context)).map(({ kernel }) => kernel.name)
    expect(await namesAt(512)).not.toContain('cholesky_panel')
    expect(await namesAt(8192)).toContain('cholesky_panel')
  })
})

describe('warmUp', () => {
  it('compiles a few at a time, those of the first method first, and tells each method when its own are there', async () => {
    const { gpu, begun, answerOne } = slowCompiler()
    const ready = warmUp(SHAPE, plain(['rtn', 'quarot']), { gpu, signal: new AbortController().signal })
    const told: string[] = []
    for (const method of ['rtn', 'quarot']) void ready({ method, setting: 'W4A4' }).then(() => told.push(method))
    await settle()
    expect(begun).toHaveLength(4)
    const first = (await rehearse(SHAPE, plain(['rtn']), { gpu, signal: new AbortController().signal })).length
    for (let done = 1; done < first; done++) {
      answerOne()
      await settle()
      expect(told).toEqual([])
    }
    expect(begun.indexOf('hadamard_butterfly')).toBeGreaterThanOrEqual(first)
    answerOne()
    await settle()
    expect(told).toEqual(['rtn'])
    for (let left = 0; left < 20; left++) {
      answerOne()
      await settle()
    }
    expect(told).toEqual(['rtn', 'quarot'])
  })

  it('begins nothing any more once the run is cancelled', async () => {
    const { gpu, begun, answerOne } = slowCompiler()
    const controller = new AbortController()
    const ready = warmUp(SHAPE, plain(['rtn', 'quarot']), { gpu, signal: controller.signal })
    await settle()
    controller.abort()
    for (let done = 0; done < 4; done++) answerOne()
    await ready({ method: 'quarot', setting: 'W4A4' })
    expect(begun).toHaveLength(4)
  })

  it('fails the method whose kernel the device refuses, with its name, and no other; a run says when it waits', async () => {
    const warm = async (kernel: Kernel) => {
      if (kernel.name.startsWith('hadamard'))
        throw new GpuError('GP-05', `the GPU refused to compile "${kernel.name}": no`)
    }
    const gpu: Gpu = { ...t.gpu, pipelines: { ...t.gpu.pipelines, warm } }
    const signal = new AbortController().signal
    const request = plain(['quarot', 'rtn'])
    const x = uploadMatrix(t.gpu, t.arena, gaussianMatrix(48, 64, 1), 'x')
    const weight = uploadMatrix(t.gpu, t.arena, gaussianMatrix(32, 64, 2), 'w')
    const layer = { name: 'layer', weight, calibration: x, evaluation: x, weightBits: 32 }
    const outcomes: MethodOutcome[] = []
    const told: string[] = []
    const context = { gpu, signal, now: () => 0, ready: warmUp(SHAPE, request, { gpu, signal }) }
    await runComparison(layer, request, context, (event) => {
      if (event.kind === 'outcome') outcomes.push(event.outcome)
      told.push(event.kind === 'compiling' ? `${event.method} ${event.done ? 'compiled' : 'compiling'}` : event.kind)
    })
    expect(told).toEqual([
      'plan',
      // The reference outputs wait with the first method.
      'quarot compiling',
      'started',
      'quarot compiling',
      'outcome',
      'started',
      'rtn compiling',
      'rtn compiled',
      'outcome',
    ])
    expect(outcomes).toMatchObject([
      {
        kind: 'failure',
        method: 'quarot',
        error: { kind: 'gpu', code: 'GP-05', message: expect.stringContaining('hadamard_butterfly') },
      },
      { kind: 'result', method: 'rtn' },
    ])
  })
})
