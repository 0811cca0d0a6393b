import { mxfp4 } from '../../src/formats/mxfp4'
import type { Quantizer } from '../../src/formats/number-format'
import type { OracleParameters, OracleProblem, Table } from '../oracle/flatquant'
import { goldenTensors } from './golden-tensors'

const TOKENS = 24
const OUT = 20
export const A = 8
export const B = 12

/** The quantizer of the recorded gradients: MXFP4, floor, half away from zero. */
export const recordedQuantizer: Quantizer = { format: mxfp4, scaleRule: 'floor', rounding: 'half-away', preScale: null }

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
