import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import { chooseFormat, formatLabel, formatText, parseFormat } from '../../src/formats/format-text'
import type { FormatChoice } from '../../src/formats/number-format'
import { FORMATS, formatById } from '../../src/formats/registry'

test('a bare id is the format with its defaults', () => {
  for (const format of FORMATS) expect(parseFormat(format.id)).toEqual(chooseFormat(format))
  expect(parseFormat('int4').options).toEqual({ group: 'row', scheme: 'sym-max' })
  expect(parseFormat('nvfp4').options).toEqual({ 'four-over-six': 'off', 'tensor-scale': 'on' })
})

test('options stand in parentheses, in any order, with spaces where one likes', () => {
  const expected = chooseFormat(formatById('int4'), { group: '128', scheme: 'asym' })
  for (const text of ['int4(group=128,scheme=asym)', ' int4( scheme = asym , group=128 ) ']) {
    expect(parseFormat(text)).toEqual(expected)
  }
  expect(parseFormat('INT4(group=128,scheme=asym)')).toEqual(expected)
})

test('text names only what differs from the defaults, in the order of the format', () => {
  const text = (source: string) => formatText(parseFormat(source))
  expect(text('mxfp4')).toBe('mxfp4')
  expect(text('int4(scheme=asym,group=128)')).toBe('int4(group=128,scheme=asym)')
  expect(text('int4(group=row,scheme=sym-half)')).toBe('int4(scheme=sym-half)')
  expect(text('nvfp4(tensor-scale=on,four-over-six=mse)')).toBe('nvfp4(four-over-six=mse)')
})

test('labels are for people', () => {
  const label = (source: string) => formatLabel(parseFormat(source))
  expect(label('mxfp8_e4m3')).toBe('MXFP8 E4M3')
  expect(label('int4(group=128,scheme=asym)')).toBe('INT4, group 128, asym')
  expect(label('nvfp4(four-over-six=max)')).toBe('NVFP4, four-over-six max')
})

const choices: fc.Arbitrary<FormatChoice> = fc.constantFrom(...FORMATS).chain((format) => {
  const options = Object.fromEntries(
    format.options.flatMap((spec) => (spec.kind === 'choice' ? [[spec.key, fc.constantFrom(...spec.choices)]] : [])),
  )
  return fc.record(options).map((given) => chooseFormat(format, given))
})

test('every choice comes back from its text', () => {
  fc.assert(
    fc.property(choices, (choice) => {
      expect(parseFormat(formatText(choice))).toEqual(choice)
    }),
    { seed: 11, numRuns: 300 },
  )
})

const known = 'mxfp8_e4m3, mxfp8_e5m2, mxint8, mxfp6_e3m2, mxfp6_e2m3, mxfp4, nvfp4, int8, int4, bf16, fp16'

test.each([
  ['mxfp5', 'FM-01', `number format: expected one of ${known}, found "mxfp5".`],
  ['', 'FM-01', `number format: expected one of ${known}, found "".`],
  ['int4(group=32)x', 'FM-01', `number format: expected one of ${known}, found "int4(group=32)x".`],
  [
    'int4(group=32',
    'FM-02',
    '"int4(group=32": expected a ")" for every "(", as in int4(group=128), found 1 "(" and 0 ")".',
  ],
  [
    'int4 group=32)',
    'FM-02',
    '"int4 group=32)": expected a ")" for every "(", as in int4(group=128), found 0 "(" and 1 ")".',
  ],
  ['int4(group=128,group=64)', 'FM-02', 'int4.group: expected one value, found two, "128" and "64".'],
  ['nvfp4()', 'FM-02', 'nvfp4(): expected options as KEY=VALUE in the parentheses, found none; write nvfp4.'],
  ['mxfp4(block=16)', 'FM-02', 'mxfp4.block: no such option; the options of mxfp4 are: none.'],
  ['int4(size=16)', 'FM-02', 'int4.size: no such option; the options of int4 are: group, scheme.'],
  ['int4(group=16)', 'FM-02', 'int4.group: expected one of row, 32, 64, 128, found "16".'],
  ['int8(scheme=sym)', 'FM-02', 'int8.scheme: expected one of sym-max, sym-half, asym, found "sym".'],
  ['nvfp4(four-over-six=on)', 'FM-02', 'nvfp4.four-over-six: expected one of off, mse, mae, max, found "on".'],
  ['nvfp4(tensor-scale=1)', 'FM-02', 'nvfp4.tensor-scale: expected one of on, off, found "1".'],
  ['int4(asym)', 'FM-02', 'int4: expected options as KEY=VALUE, found "asym".'],
  ['int4(=asym)', 'FM-02', 'int4: expected options as KEY=VALUE, found "=asym".'],
])('%s is refused with %s', (text, code, message) => {
  const parse = () => parseFormat(text)
  expect(parse).toThrow(InputError)
  expect(parse).toThrow(expect.objectContaining({ code, message }))
})
