import type { OptionValues } from '../../src/core/options'
import { bf16 } from '../../src/formats/bf16'
import { chooseFormat } from '../../src/formats/format-text'
import { fp16 } from '../../src/formats/fp16'
import { int4 } from '../../src/formats/int4'
import { int8 } from '../../src/formats/int8'
import { mxfp4 } from '../../src/formats/mxfp4'
import { mxfp6E2m3 } from '../../src/formats/mxfp6-e2m3'
import { mxfp8E4m3 } from '../../src/formats/mxfp8-e4m3'
import { mxint8 } from '../../src/formats/mxint8'
import type { MxQuantizer, NumberFormat, Quantizer } from '../../src/formats/number-format'
import { nvfp4 } from '../../src/formats/nvfp4'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import type { OracleParameters, OracleProblem, Table } from '../oracle/flatquant'
import { goldenTensors } from './golden-tensors'

const TOKENS = 24
const OUT = 20
export const A = 8
export const B = 12

/** The quantizer of the recorded gradients: MXFP4, floor, half away from zero. */
export const recordedQuantizer: MxQuantizer = {
  family: 'mx',
  format: mxfp4,
  blockSize: 32,
  scaleRule: 'floor',
  rounding: 'half-away',
  preScale: null,
  flushSubnormalBlocks: false,
}

const of = (format: NumberFormat, options: OptionValues = {}) =>
  makeQuantizer(chooseFormat(format, options), STANDARD_MX)
const mxOf = (change: Partial<MxQuantizer>): Quantizer => ({ ...recordedQuantizer, ...change })

/** One quantizer for every way a scale can follow its block, every block length, and what saturates. */
export const QUANTIZERS: readonly (readonly [string, Quantizer])[] = [
  ['MXFP4 floor', recordedQuantizer],
  ['MXFP4 floor, ties to even', mxOf({ rounding: 'half-even' })],
  ['MXFP4 even', mxOf({ scaleRule: 'even' })],
  ['MXFP4 rceil', mxOf({ scaleRule: 'rceil' })],
  ['MXFP4 ceil', mxOf({ scaleRule: 'ceil' })],
  ['MXFP4 best', mxOf({ scaleRule: 'best' })],
  ['MXFP4 fp32', mxOf({ scaleRule: 'fp32' })],
  ['MXFP4 in blocks of 8', mxOf({ blockSize: 8 })],
  ['MXFP4 in blocks of 128, rceil', mxOf({ blockSize: 128, scaleRule: 'rceil' })],
  ['MXFP4 times 0.75', mxOf({ preScale: { factor: 0.75, variant: 'exact' } })],
  ['MXFP4 times 0.9', mxOf({ preScale: { factor: 0.9, variant: 'exact' } })],
  ['MXFP4 best, times 0.8', mxOf({ scaleRule: 'best', preScale: { factor: 0.8, variant: 'exact' } })],
  ['MXFP4 times 0.75 before the scale', mxOf({ preScale: { factor: 0.75, variant: 'literal' } })],
  [
    'MXFP4 best, times 0.73 before the scale',
    mxOf({ scaleRule: 'best', preScale: { factor: 0.73, variant: 'literal' } }),
  ],
  [
    'MXFP4 rceil, times 0.6 before the scale',
    mxOf({ scaleRule: 'rceil', preScale: { factor: 0.6, variant: 'literal' } }),
  ],
  ['MXFP6 E2M3 in blocks of 16', mxOf({ format: mxfp6E2m3, blockSize: 16 })],
  ['MXFP8 E4M3', mxOf({ format: mxfp8E4m3 })],
  ['MXFP8 E4M3 best', mxOf({ format: mxfp8E4m3, scaleRule: 'best' })],
  ['MXINT8 in blocks of 64', mxOf({ format: mxint8, blockSize: 64 })],
  ['MXINT8 best', mxOf({ format: mxint8, scaleRule: 'best' })],
  ['MXINT8 fp32', mxOf({ format: mxint8, scaleRule: 'fp32' })],
  ['NVFP4', of(nvfp4)],
  ['NVFP4 four over six', of(nvfp4, { 'four-over-six': 'mse' })],
  ['NVFP4 without tensor scale', of(nvfp4, { 'tensor-scale': 'off' })],
  ['INT4', of(int4)],
  ['INT4 sym-half', of(int4, { scheme: 'sym-half' })],
  ['INT4 asym', of(int4, { scheme: 'asym' })],
  ['INT4 in groups of 32', of(int4, { group: '32' })],
  ['INT4 asym in groups of 64', of(int4, { group: '64', scheme: 'asym' })],
  ['INT8 in groups of 128', of(int8, { group: '128' })],
  ['BF16', of(bf16)],
  ['FP16', of(fp16)],
]

/** The one of QUANTIZERS called `name`. */
export function quantizerCalled(name: string): Quantizer {
  const [, quantizer] = QUANTIZERS.find(([each]) => each === name) ?? []
  if (!quantizer) throw new Error(`no quantizer called ${name}`)
  return quantizer
}

const golden = goldenTensors('transform/gradcheck.safetensors')
const recorded = (name: string, rows: number, cols: number): Table => ({ rows, cols, data: golden(name) })
const interleaved = (low: Float64Array, high: Float64Array) =>
  Float64Array.from({ length: 2 * low.length }, (_, i) => (i % 2 === 0 ? low : high)[i >> 1])

/** Layer and parameters of the recorded gradients; `quantizers` default to theirs. */
export function recordedProblem(quantizers: Partial<Pick<OracleProblem, 'weight' | 'activation'>> = {}): {
  problem: OracleProblem
  parameters: OracleParameters
} {
  return {
    problem: {
      x: recorded('X', TOKENS, A * B),
      w: recorded('W', OUT, A * B),
      y: recorded('Y', TOKENS, OUT),
      weight: recordedQuantizer,
      activation: recordedQuantizer,
      ...quantizers,
    },
    parameters: {
      theta: golden('inv.param.d').map(Math.log),
      p1: recorded('inv.param.p1', A, A),
      p2: recorded('inv.param.p2', B, B),
      activationClip: interleaved(golden('inv.param.ca_min'), golden('inv.param.ca_max')),
      weightClip: interleaved(golden('inv.param.cw_min'), golden('inv.param.cw_max')),
    },
  }
}

/** The recorded loss ‖E‖²/‖Y‖² and its gradients under `rule`, that of d turned into that of θ = log d. */
export function recordedGradients(rule: 'pass' | 'sat'): { loss: number; gradients: OracleParameters } {
  const of = (name: string) => golden(`inv.grad_${rule}.${name}`)
  const d = golden('inv.param.d')
  return {
    loss: golden('inv.loss')[0],
    gradients: {
      theta: of('d').map((value, i) => value * d[i]),
      p1: { rows: A, cols: A, data: of('p1') },
      p2: { rows: B, cols: B, data: of('p2') },
      activationClip: interleaved(of('ca_min'), of('ca_max')),
      weightClip: interleaved(of('cw_min'), of('cw_max')),
    },
  }
}

/** A factor of the recorded svd case, and ‖E‖²/‖Y‖² gradients under 'sat' of u, sigma and v. */
function recordedSvdFactor(index: 1 | 2, size: number) {
  const square = (name: string) => recorded(`svd.param.${name}${index}`, size, size)
  return {
    factor: {
      form: 'svd' as const,
      u: square('u'),
      sigma: Float32Array.from(golden(`svd.param.s${index}`)),
      v: square('v'),
    },
    gradients: ['u', 's', 'v'].map((name) => golden(`svd.grad_sat.${name}${index}`)),
  }
}

/** The same layer with P1 and P2 as singular value decompositions, their gradients and the loss. */
export function recordedSvd() {
  const { problem, parameters } = recordedProblem()
  const clips = (kind: 'param' | 'grad_sat') => ({
    activationClip: interleaved(golden(`svd.${kind}.ca_min`), golden(`svd.${kind}.ca_max`)),
    weightClip: interleaved(golden(`svd.${kind}.cw_min`), golden(`svd.${kind}.cw_max`)),
  })
  const d = golden('svd.param.d')
  return {
    problem,
    parameters: { ...parameters, theta: d.map(Math.log), ...clips('param') },
    p1: recordedSvdFactor(1, A),
    p2: recordedSvdFactor(2, B),
    loss: golden('svd.loss')[0],
    gradients: { theta: golden('svd.grad_sat.d').map((value, i) => value * d[i]), ...clips('grad_sat') },
  }
}

/** The gradients as a list of named arrays. */
export function namedGradients(gradients: OracleParameters): readonly (readonly [string, Float64Array])[] {
  return [
    ['theta', gradients.theta],
    ['p1', gradients.p1.data],
    ['p2', gradients.p2.data],
    ['activationClip', gradients.activationClip],
    ['weightClip', gradients.weightClip],
  ]
}

/** ‖found − expected‖ / ‖expected‖; an all-zero expectation asks for zeros. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0
  let size = 0
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i] - expected[i]) ** 2
    size += expected[i] ** 2
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size)
}
