import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeWithScale } from '../../src/formats/codec'
import { scaleValue } from '../../src/formats/codec-scale'
import { chooseFormat, parseFormat } from '../../src/formats/format-text'
import { ROUNDINGS } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS } from '../../src/formats/registry'
import { findCell, scaledGrid, scaleForMaximum } from '../../src/formats/scaled-grid'

const quantizerOf = (text: string, choices = {}) => makeQuantizer(parseFormat(text), { ...STANDARD_MX, ...choices })

describe.each(FORMATS.map((format) => [format.id, format] as const))('%s', (_, format) => {
  it.each(ROUNDINGS)('puts every number into the cell whose code the codec gives it, %s', (rounding) => {
    const variants = format.id === 'int4' ? ['sym-max', 'sym-half', 'asym'] : [null]
    for (const scheme of variants) {
      const choice = chooseFormat(format, scheme ? { scheme } : {})
      const quantizer = makeQuantizer(choice, { ...STANDARD_MX, rounding })
      // A power of two: edges are then exact, ties included.
      const scale = format.family === 'mx' ? ({ kind: 'e8m0', byte: 126 } as const) : scaleForMaximum(quantizer, 6)
      const grid = scaledGrid(quantizer, scale)
      const exact = Math.log2(scaleValue(scale)) % 1 === 0
      const edges = Array.from(grid.edges.subarray(1, -1)).filter(
        (_, i) => i % Math.ceil(grid.edges.length / 500) === 0,
      )
      const beside = (edge: number) =>
        exact ? [edge * (1 - 2 ** -20), edge, edge * (1 + 2 ** -20)] : [edge * 0.999, edge * 1.001]
      const numbers = edges.flatMap(beside).map(Math.fround)
      const codes = encodeWithScale(numbers, scale, quantizer)
      const zeroSign = (code: number) =>
        code === 2 ** (format.element.bits - 1) && format.element.kind === 'float' ? 0 : code
      numbers.forEach((x, i) => {
        expect(grid.codes[findCell(grid, x)], `${x}`).toBe(zeroSign(codes[i]))
      })
    }
  })

  it('has rising values, each in its own cell', () => {
    const quantizer = makeQuantizer(chooseFormat(format), STANDARD_MX)
    const grid = scaledGrid(quantizer, scaleForMaximum(quantizer, 3.7))
    expect(grid.edges.length).toBe(grid.values.length + 1)
    for (let i = 1; i < grid.values.length; i++) expect(grid.values[i]).toBeGreaterThan(grid.values[i - 1])
    grid.values.forEach((value, i) => {
      if (i % Math.ceil(grid.values.length / 500) === 0) expect(findCell(grid, value)).toBe(i)
    })
  })
})

it('stretches the grid by a pre-scale, as the codec does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 50, max: 99 }), fc.float({ min: -9, max: 9, noNaN: true }), (percent, x) => {
      const quantizer = quantizerOf('mxfp4', { preScale: { factor: percent / 100, variant: 'exact' } })
      const scale = { kind: 'e8m0', byte: 127 } as const
      const grid = scaledGrid(quantizer, scale)
      const cell = findCell(grid, x)
      // On an edge the float64 edge may lie on either side of the real one.
      fc.pre(Math.min(Math.abs(x - grid.edges[cell]), Math.abs(x - grid.edges[cell + 1])) > 1e-9)
      const [code] = encodeWithScale([x], scale, quantizer)
      expect(grid.codes[cell]).toBe(code === 8 ? 0 : code)
    }),
    { seed: 1, numRuns: 300 },
  )
})

it('gives every format the scale of a block that reaches the maximum', () => {
  expect(scaleForMaximum(quantizerOf('mxfp4'), 6)).toEqual({ kind: 'e8m0', byte: 127 })
  expect(scaleForMaximum(quantizerOf('mxfp8_e4m3'), 6)).toEqual({ kind: 'e8m0', byte: 121 })
  expect(scaleValue(scaleForMaximum(quantizerOf('nvfp4'), 6))).toBeCloseTo(1, 6)
  expect(scaleForMaximum(quantizerOf('int4'), 7)).toEqual({ kind: 'fp32', value: 1, zeroPoint: null })
  expect(scaleForMaximum(quantizerOf('int4(scheme=asym)'), 7.5)).toEqual({ kind: 'fp32', value: 1, zeroPoint: 8 })
  expect(scaleForMaximum(quantizerOf('bf16'), 6)).toEqual({ kind: 'none' })
})
