import { expect, test } from 'vitest'
import { hasFourBitOperand, preScaleText, settingLabel } from '../../src/experiment/setting-text'
import { parseSetting } from '../../src/experiment/settings'

test('names stay, pairs are written by the labels of their formats', () => {
  expect(['W4A4', 'mxfp6_e2m3/mxint8', 'mxfp4/16', '16/16'].map(settingLabel)).toEqual([
    'W4A4',
    'MXFP6 E2M3 / MXINT8',
    'MXFP4 / as loaded',
    'as loaded / as loaded',
  ])
})

test('the pre-scale is off where no operand has four bits, whatever was chosen', () => {
  const [fourBits, sixBits] = ['W4A16', 'mxfp6_e2m3/mxint8'].map(parseSetting)
  expect([fourBits, sixBits].map(hasFourBitOperand)).toEqual([true, false])
  expect(preScaleText(true, [sixBits])).toBe('off (no 4-bit operand)')
  expect(preScaleText(true, [sixBits, fourBits])).toBe('3/4')
  expect(preScaleText(false, [fourBits])).toBe('off')
})
