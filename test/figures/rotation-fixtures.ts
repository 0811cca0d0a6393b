import type { OutlierPoint, OutlierStudyRequest } from '../../src/experiment/outlier-study'
import type { NoiseAttribution, RotationCauses, RotationQuery } from '../../src/experiment/rotation-causes'

/** Errors like those of the specification's table: rotation worse under MX above 8, better under INT. */
function errorOf(format: string, method: string, strength: number): number {
  const doublings = Math.log2(strength)
  const plain = format === 'int4' ? 0.2 + 0.1 * doublings : 0.16 + 0.002 * doublings
  if (method === 'rtn') return plain
  const whole = format === 'int4' ? 1 - 0.1 * doublings : 0.94 + 0.02 * doublings
  return plain * (method === 'quarot' ? whole : 1 + (whole - 1) / 10)
}

/** Every point of a study, strength by strength. */
export function studyPoints(
  request: Pick<OutlierStudyRequest, 'strengths' | 'formats' | 'methods'>,
): readonly OutlierPoint[] {
  return request.strengths.flatMap((strength) =>
    request.formats.flatMap((format) =>
      request.methods.map(({ id: method }) => {
        const evaluation = errorOf(format, method, strength)
        const before = { kurtosis: 3 * strength, crest: 2.2 * Math.sqrt(strength) }
        return {
          format,
          method,
          strength,
          evaluation,
          calibration: 0.98 * evaluation,
          before,
          after: method === 'rtn' ? before : { kurtosis: 3, crest: 2.2 },
          predictedRotation: 1.02 * errorOf(format, 'quarot', strength),
          notes: [],
          error: null,
        }
      }),
    ),
  )
}

export const FAKE_WIDTH = 40

/** Sixteen-channel spikes before, flat after: `error` of the whole. */
function attributionOf(error: number, weights: readonly number[]): NoiseAttribution {
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const part = (share: number) => Float32Array.from(weights, (weight) => (share * error * error * weight) / all)
  return {
    activationNoise: part(0.5),
    weightNoise: part(0.4),
    bothNoise: part(0.1),
    predicted: error,
    measured: 0.99 * error,
  }
}

/** What an engine could answer: a rotation that makes the error a tenth larger, and half a percent more with the seed. */
export function causesOf(query: RotationQuery): RotationCauses {
  const channels = Array.from({ length: FAKE_WIDTH }, (_, channel) => channel)
  const before = channels.map((channel) => (channel === 7 ? 64 : Math.sin(channel + 1)))
  const after = channels.map((channel) => (channel % 3 === 0 ? -10 : 10) + Math.sin(channel + 1))
  return {
    ...query,
    layerName: 'q_proj.weight',
    inDim: FAKE_WIDTH,
    tokens: 16,
    before: attributionOf(
      0.2,
      channels.map((channel) => (channel % 10 === 0 ? 30 : 1)),
    ),
    after: attributionOf(
      0.2 * (1.1 + 0.005 * query.seed),
      channels.map(() => 1),
    ),
    chi: 1.5,
    weightKappa: 0.0134,
    activationKappa: 0.0134,
    closedForm: 0.2465,
    mismatch: 2.9,
    token: {
      token: 12,
      channel: 7,
      before: { values: Float32Array.from(before), kurtosis: 38.6, largestShare: 0.995, otherChannelsError: 0.23 },
      after: { values: Float32Array.from(after), kurtosis: 1.2, largestShare: 0.03, otherChannelsError: 0.38 },
    },
    notes: [],
  }
}
