import { expect, test } from 'vitest'
import { preScaleReaches, preScaleText, settingLabel } from '../../src/experiment/setting-text'
import { parseSetting } from '../../src/experiment/settings'

test('names stay, formats are written by their labels and options, weights first', () => {
  const written = [
    'W4A4',
    'W4A8KV4',
    'mxfp6_e2m3/mxint8',
    'mxfp4/16',
    '16/16',
    'int4(group=128,scheme=asym)/nvfp4/bf16',
  ]
  expect(written.map(settingLabel)).toEqual([
    'W4A4',
    'W4A8KV4',
    'MXFP6 E2M3 / MXINT8',
    'MXFP4 / as loaded',
    'as loaded / as loaded',
    'INT4, group 128, asym / NVFP4 / BF16',
  ])
})

const fourBits = parseSetting('W4A16')
const eightBits = parseSetting('mxfp6_e2m3/mxint8')
const onlyOutput = parseSetting('16/16/mxfp4')
const threeQuarters = { factor: 0.75, variant: 'exact' } as const

test('a pre-scale reaches 4-bit MX formats of any tensor, and no other formats of 4 bits', () => {
  expect([fourBits, onlyOutput].map((setting) => preScaleReaches(setting, 'floor'))).toEqual([true, true])
  const others = [eightBits, parseSetting('nvfp4/int4')]
  expect(others.map((setting) => preScaleReaches(setting, 'floor'))).toEqual([false, false])
  expect(preScaleReaches(fourBits, 'fp32')).toBe(false)
})

test('the pre-scale is said as factor and variant', () => {
  expect(preScaleText(threeQuarters, [eightBits, fourBits], 'floor')).toBe('3/4')
  expect(preScaleText({ factor: 0.9, variant: 'literal' }, [fourBits], 'even')).toBe('0.9, literal')
  expect(preScaleText(null, [fourBits], 'floor')).toBe('off')
  expect(preScaleText({ factor: 1, variant: 'exact' }, [fourBits], 'floor')).toBe('off')
})

test('the pre-scale is off where it reaches nothing, whatever was chosen, and the reason is said', () => {
  expect(preScaleText(threeQuarters, [eightBits], 'floor')).toBe('off (no 4-bit MX operand)')
  expect(preScaleText(threeQuarters, [fourBits], 'fp32')).toBe('off (fp32 scales leave nothing to clip)')
})
