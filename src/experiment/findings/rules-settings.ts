/** Takeaways about formats and their scales. */
import type { MethodResult } from '../result'
import { errorOf, errorValue, type Finding, type Interval, judgeNeeds, outside, undecided } from './verdict'

const ERROR_TITLE = 'output relative error [1]'

/** Shares of ten and more are said as factors. */
const percent = (value: number) =>
  value < 10 ? `${(100 * value).toFixed(1)} %` : `${Math.round(value).toLocaleString('en-US')} times`
const times = (ratio: number) => `${ratio.toFixed(2)} ×`

/** Gaussian data lose 4 to 5 % under MXFP8. */
const MXFP8_OPEN: Interval = [0.06, 0.1]

export const MXFP8: Finding = {
  id: 'mxfp8',
  claim: 'MXFP8 is near-lossless',
  source: 'Its table 1: at W8A8 methods stay within about 1 % of the accuracy of BF16.',
  rule: 'Holds where RTN under W8A8 is off by less than 6 % of the output, as Gaussian data are (4 to 5 %). Does not hold above 10 %.',
  axis: { title: ERROR_TITLE, open: { range: MXFP8_OPEN, method: 'RTN' } },
  fitted: false,
  judge: judgeNeeds('mxfp8', ([rtn, rotated]) => ({
    verdict: outside(errorOf(rtn), MXFP8_OPEN, 'holds', 'fails'),
    number: `${percent(errorOf(rtn))} off`,
    sentence: `Under W8A8 RTN is off by ${percent(errorOf(rtn))} of the output, a random rotation by ${percent(errorOf(rotated))}.`,
    values: [rtn, rotated].map((result) => errorValue(result)),
  })),
}

const W4A4_OPEN: Interval = [1.05, 1.2]

export const W4A4_HARD: Finding = {
  id: 'w4a4',
  claim: 'W4A4 is the hard setting',
  source: 'Its table 1: losses stay small down to W4A8 and grow at W4A4.',
  rule: 'Holds where the error of RTN under W4A4 is more than 1.2 times the largest of its errors under W8A8, W4A16 and W4A8. Does not hold below 1.05 times.',
  axis: { title: ERROR_TITLE, open: null },
  fitted: false,
  judge: judgeNeeds('w4a4', (results) => {
    const [hard, ...others] = [...results].reverse()
    const next = others.reduce((worst, each) => (errorOf(each) > errorOf(worst) ? each : worst))
    const ratio = errorOf(hard) / errorOf(next)
    return {
      verdict: outside(ratio, W4A4_OPEN, 'fails', 'holds'),
      number: `${times(ratio)} ${next.setting}`,
      sentence: `The error of RTN under W4A4 is ${times(ratio)} that under ${next.setting}, the largest of the others.`,
      values: results.map((result) => errorValue(result, result.setting)),
    }
  }),
}

/** Shares of the squared error. */
const SCALES_OPEN: Interval = [0.1, 0.2]

export const SCALES_MATTER: Finding = {
  id: 'scales',
  claim: 'The scales are a main error source',
  source: 'Its figure 4: fp32 scales in place of powers of two take much of the error away.',
  rule: 'Holds where more than 20 % of the squared output error of RTN under W4A4, without pre-scale, goes away with fp32 scales. Does not hold below 10 %.',
  axis: { title: ERROR_TITLE, open: null },
  fitted: false,
  judge: judgeNeeds('scales', ([rtn]) => {
    const split = rtn.scaleAnalysis?.split
    if (!split || !Number.isFinite(split.scaleShare))
      return undecided('The error has no part that scales could own.', [])
    const value = (label: string, error: number) => ({ label, method: 'rtn', value: error })
    return {
      verdict: outside(split.scaleShare, SCALES_OPEN, 'fails', 'holds'),
      number: `${percent(split.scaleShare)} owed to scales`,
      sentence: shareSentence(split.scaleShare),
      values: [
        value('E8M0 scales', split.powerOfTwo),
        value('fp32 for W', split.weightFp32),
        value('fp32 for X', split.activationFp32),
        value('fp32 for both', split.bothFp32),
      ],
    }
  }),
}

function shareSentence(share: number): string {
  if (share < 0)
    return `With fp32 scales the squared error of RTN is ${percent(-share)} larger: exact scales put blocks on coarser grids here.`
  return `With fp32 scales ${percent(share)} of the squared error of RTN under W4A4 goes away.`
}

const PRE_SCALE_OPEN: Interval = [0.98, 1.02]

export const PRE_SCALE_HELPS: Finding = {
  id: 'pre-scale',
  claim: 'The pre-scale 3/4 helps',
  source: 'Its table 6: accuracy and perplexity of RTN improve with it.',
  rule: 'Holds where the error of RTN under W4A4 with the pre-scale is less than 0.98 of that without. Does not hold above 1.02.',
  axis: { title: ERROR_TITLE, open: null },
  fitted: false,
  judge: judgeNeeds('pre-scale', ([plain, scaled]) => {
    const ratio = errorOf(scaled) / errorOf(plain)
    return {
      verdict: outside(ratio, PRE_SCALE_OPEN, 'holds', 'fails'),
      number: `${times(ratio)} without`,
      sentence: `The error with it is ${times(ratio)} that without; outputs are scaled by ${gainOf(scaled)} with it and ${gainOf(plain)} without.`,
      values: [errorValue(plain, 'without'), errorValue(scaled, 'with 3/4')],
    }
  }),
}

const gainOf = ({ evaluation }: MethodResult) => evaluation.gain.toFixed(3)
