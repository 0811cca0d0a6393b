/** Takeaways about methods, all under W4A4. */
import type { MethodResult } from '../result'
import { AFFINE, COMPENSATION, type FindingId, ROTATION_SEEDS } from './needs'
import {
  errorOf,
  errorValue,
  type Finding,
  type Interval,
  type Judgement,
  judgeNeeds,
  leastOf,
  nameOf,
  outside,
} from './verdict'

/** Ratios of errors closer to 1 than this cannot be told from 1. */
const RATIO_OPEN: Interval = [0.98, 1.02]
const AXIS = { title: 'output relative error [1]', open: null } as const

const times = (ratio: number) => `${ratio.toFixed(2)} ×`

/** What rotations of several seeds do: the mean decides, unless the seeds disagree on the side. */
function effectOf(rotated: readonly MethodResult[], plain: MethodResult) {
  const ratios = rotated.map((each) => errorOf(each) / errorOf(plain))
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
  const agree = ratios.every((ratio) => ratio > 1) || ratios.every((ratio) => ratio < 1)
  return {
    mean,
    effect: agree ? outside(mean, RATIO_OPEN, 'helps' as const, 'hurts' as const) : ('undecided' as const),
  }
}

export const ROTATION_HURTS: Finding = {
  id: 'rotation',
  claim: 'Rotation hurts MXFP4 and helps INT4',
  source: 'Its tables 1 and 9: QuaRot and SpinQuant fall below RTN under MXFP4; rotations were made for INT4.',
  rule: `By the error of QuaRot over that of RTN under W4A4, the mean of ${ROTATION_SEEDS} seeds: above 1.02 it hurts, below 0.98 it helps, if all seeds are on that side of 1. Holds where it hurts MXFP4 and helps INT4. Does not hold where it helps MXFP4 or hurts INT4.`,
  axis: AXIS,
  fitted: false,
  judge: judgeNeeds('rotation', (results) => {
    const [rtn, ...rest] = results
    const rotated = rest.slice(0, ROTATION_SEEDS)
    const [rtnInteger, ...rotatedInteger] = rest.slice(ROTATION_SEEDS)
    const mx = effectOf(rotated, rtn)
    const integer = effectOf(rotatedInteger, rtnInteger)
    const against = mx.effect === 'helps' || integer.effect === 'hurts'
    const both = mx.effect === 'hurts' && integer.effect === 'helps'
    return {
      verdict: against ? 'fails' : both ? 'holds' : 'undecided',
      number: `${times(mx.mean)} under MXFP4, ${times(integer.mean)} under INT4`,
      sentence: `QuaRot has ${times(mx.mean)} the error of RTN under MXFP4 and ${times(integer.mean)} under INT4, on average over ${ROTATION_SEEDS} seeds.`,
      values: [
        errorValue(rtn, 'RTN, MXFP4'),
        ...rotated.map((each) => errorValue(each, `QuaRot, MXFP4, seed ${each.seed}`)),
        errorValue(rtnInteger, 'RTN, INT4'),
        ...rotatedInteger.map((each) => errorValue(each, `QuaRot, INT4, seed ${each.seed}`)),
      ],
    }
  }),
}

/** The best of some methods against the best of the channel-wise ones, which come last. */
function againstChannelWise(id: FindingId, count: number, word: string) {
  return judgeNeeds(id, (results): Judgement => {
    const best = leastOf(results.slice(0, count))
    const channelWise = leastOf(results.slice(count))
    const ratio = errorOf(best) / errorOf(channelWise)
    return {
      verdict: outside(ratio, RATIO_OPEN, 'holds', 'fails'),
      number: `${times(ratio)} channel-wise`,
      sentence: `The least error of ${word} is ${times(ratio)} the least of channel-wise scaling (${nameOf(best.method)} against ${nameOf(channelWise.method)}).`,
      values: results.map((result) => errorValue(result)),
    }
  })
}

export const AFFINE_WINS: Finding = {
  id: 'affine',
  claim: 'Affine transforms beat channel-wise scaling',
  source: 'Its table 1: FlatQuant keeps the most accuracy at W4A4.',
  rule: 'Holds where the error of FlatQuant under W4A4 is less than 0.98 of the lesser of SmoothQuant and AWQ. Does not hold above 1.02. Needs rows that were not calibrated on.',
  axis: AXIS,
  fitted: true,
  judge: againstChannelWise('affine', AFFINE.length, 'affine transforms'),
}

export const COMPENSATION_WINS: Finding = {
  id: 'compensation',
  claim: 'Error compensation beats channel-wise scaling',
  source: 'Its table 1: GPTQ and MR-GPTQ stand above SmoothQuant and AWQ at four bits.',
  rule: 'Holds where the lesser error of GPTQ and MR-GPTQ under W4A4 is less than 0.98 of the lesser of SmoothQuant and AWQ. Does not hold above 1.02. Needs rows that were not calibrated on.',
  axis: AXIS,
  fitted: true,
  judge: againstChannelWise('compensation', COMPENSATION.length, 'error compensation'),
}

export const RTN_STRONG: Finding = {
  id: 'rtn',
  claim: 'RTN is a strong baseline',
  source: 'Its table 1: under MXFP4 RTN stands above several published methods, the rotations among them.',
  rule: 'Holds where fewer than half of the other published methods have less than 0.98 of its error under W4A4. Does not hold where more than half have. Needs rows that were not calibrated on.',
  axis: AXIS,
  fitted: true,
  judge: judgeNeeds('rtn', ([rtn, ...others]) => {
    const better = others.filter((each) => errorOf(each) < RATIO_OPEN[0] * errorOf(rtn))
    const half = others.length / 2
    const names = better.map(({ method }) => nameOf(method)).join(', ')
    return {
      verdict: outside(better.length, [half, half], 'holds', 'fails'),
      number: `${better.length} of ${others.length} do better`,
      sentence: `${better.length} of ${others.length} methods have clearly less error than RTN${better.length > 0 ? `: ${names}` : ''}.`,
      values: [rtn, ...others].map((result) => errorValue(result)),
    }
  }),
}
