// Every cell of the grid on one small layer: no method that is offered fails, and none makes up for nothing.
import { beforeAll, describe, expect, test } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import type { MethodChoice } from '../../src/experiment/request'
import type { MethodOutcome, MethodResult } from '../../src/experiment/result'
import { runComparison } from '../../src/experiment/run-comparison'
import { parseSetting } from '../../src/experiment/settings'
import { rehearse } from '../../src/experiment/warm-up'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { Arena } from '../../src/gpu/arena'
import { type Kernel, type Overrides, pipelineKey } from '../../src/gpu/pipeline-cache'
import { uploadMatrix } from '../../src/gpu/transfer'
import { METHODS } from '../../src/methods/registry'
import { gpuFixture } from '../support/gpu'
import { gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const IN = 64
const OUT = 32
const TOKENS = 640
const EVALUATED = 96

/** Rows with two loud channels and one that no row uses. */
function rows(count: number, seed: number) {
  const matrix = gaussianMatrix(count, IN, seed)
  matrix.data.forEach((_, i) => {
    if (i % IN === 3 || i % IN === 40) matrix.data[i] *= 20
    if (i % IN === 17) matrix.data[i] = 0
  })
  return matrix
}

const requestOf = (setting: string) => ({
  ...STANDARD_MX,
  settings: [parseSetting(setting)],
  methods: METHODS.map(
    ({ id, transform }): MethodChoice => ({
      id,
      options: (transform.options.some(({ key }) => key === 'steps') ? { steps: 4 } : {}) as OptionValues,
    }),
  ),
  seed: 0,
  headDim: null,
  scaleAnalysis: false,
})

const signal = new AbortController().signal

interface Compared {
  readonly outcomes: ReadonlyMap<string, MethodOutcome>
  /** The pipelines that each method asked for, by its id. */
  readonly used: ReadonlyMap<string, ReadonlySet<string>>
}

async function compare(setting: string): Promise<Compared> {
  const arena = new Arena(t.gpu)
  const outcomes = new Map<string, MethodOutcome>()
  const used = new Map<string, Set<string>>()
  let current = new Set<string>()
  const get = (kernel: Kernel, overrides: Overrides = {}) => {
    current.add(pipelineKey({ kernel, overrides }))
    return t.gpu.pipelines.get(kernel, overrides)
  }
  const gpu = { ...t.gpu, pipelines: { ...t.gpu.pipelines, get } }
  const layer = {
    name: 'layer.weight',
    weight: uploadMatrix(gpu, arena, gaussianMatrix(OUT, IN, 1), 'weight'),
    calibration: uploadMatrix(gpu, arena, rows(TOKENS, 2), 'calibration'),
    evaluation: uploadMatrix(gpu, arena, rows(EVALUATED, 3), 'evaluation'),
    weightBits: 16,
  }
  await runComparison(layer, requestOf(setting), { gpu, signal, now: () => performance.now() }, (event) => {
    if (event.kind === 'outcome') outcomes.set(event.outcome.method, event.outcome)
    if (event.kind !== 'started') return
    current = new Set()
    used.set(event.method, current)
  })
  arena.release()
  return { outcomes, used }
}

const compared = new Map<string, ReturnType<typeof compare>>()

/** Every method under `setting`, once however often it is asked. */
function comparedUnder(setting: string): ReturnType<typeof compare> {
  const known = compared.get(setting) ?? compare(setting)
  compared.set(setting, known)
  return known
}

describe.each(['W4A4', 'mxfp4/16', 'nvfp4/int8', 'int4(group=32,scheme=asym)/16'])('%s', (setting) => {
  let { outcomes, used }: Compared = { outcomes: new Map(), used: new Map() }
  const result = (id: string): MethodResult => {
    const outcome = outcomes.get(id)
    if (outcome?.kind !== 'result') throw new Error(`${id}: ${outcome?.error.message ?? 'no outcome'}`)
    return outcome
  }
  beforeAll(async () => {
    ;({ outcomes, used } = await comparedUnder(setting))
  }, 120_000)

  test.each(METHODS.map(({ id }) => id))('%s has finite errors below one', (id) => {
    const { calibration, evaluation, bitsPerElement } = result(id)
    for (const errors of [calibration, evaluation]) {
      expect(errors.outputRelativeError).toBeGreaterThan(0)
      expect(errors.outputRelativeError).toBeLessThan(0.6)
    }
    expect(Number.isFinite(bitsPerElement)).toBe(true)
  })

  test('a rehearsal of each method finds the pipelines it uses, and none that no method does', async () => {
    const shape = { outDim: OUT, inDim: IN, calibrationTokens: TOKENS, evaluationTokens: EVALUATED, sameRows: false }
    const request = requestOf(setting)
    const rehearsed = new Set<string>()
    for (const choice of request.methods) {
      const uses = await rehearse(shape, { ...request, methods: [choice] }, { gpu: t.gpu, signal })
      const keys = uses.map(pipelineKey)
      expect(keys, choice.id).toEqual(expect.arrayContaining([...(used.get(choice.id) ?? ['not run'])]))
      for (const key of keys) rehearsed.add(key)
    }
    const all = new Set([...used.values()].flatMap((keys) => [...keys]))
    expect(all.size).toBeGreaterThan(50)
    expect([...rehearsed].filter((key) => !all.has(key))).toEqual([])
  })

  test('a low-rank branch lowers the calibration error of rounding and costs bits and operations', () => {
    for (const { id } of METHODS.filter(({ mitigation }) => mitigation.id === 'low-rank')) {
      const base = id === 'low-rank' ? 'rtn' : id.replace('+low-rank', '')
      const [branch, plain] = [result(id), result(base)]
      expect(branch.calibration.outputRelativeError, id).toBeLessThan(plain.calibration.outputRelativeError)
      expect(branch.bitsPerElement, id).toBeGreaterThan(plain.bitsPerElement)
      expect(branch.onlineOperations, id).toBeGreaterThan(plain.onlineOperations)
      expect(branch.onlineBytes, id).toBeGreaterThan(plain.onlineBytes)
    }
  })
})

test('with activations as loaded, GPTQ has a lower calibration error than rounding after every transform', async () => {
  const { outcomes } = await comparedUnder('mxfp4/16')
  const error = (id: string) => {
    const outcome = outcomes.get(id)
    return outcome?.kind === 'result' ? outcome.calibration.outputRelativeError : Number.NaN
  }
  for (const { id, transform } of METHODS.filter(({ mitigation }) => mitigation.id === 'gptq')) {
    // Its observer is made for the 3/4 pre-scale (docs/methods.md); without it, block exponents come out too small here.
    if (id === 'mr-gptq') continue
    const base = transform.id === 'identity' ? 'rtn' : transform.id
    expect(error(id), id).toBeLessThan(error(base))
  }
}, 120_000)
