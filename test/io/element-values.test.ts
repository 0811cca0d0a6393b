import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeValues, type DecodableDtype, decodeElements, unpackCodes } from '../../src/io/element-values'
import { readRows, valueSlices } from '../../src/io/read-values'
import { DTYPE_BITS, type Dtype, type TensorView } from '../../src/io/tensor-view'
import { recordingSource } from './recording-source'

const SEED = 20260111

/** Sign, exponent and mantissa by the table of the format, written out for every code. */
function smallFloat(code: number, [exponentBits, mantissaBits, bias]: readonly [number, number, number]): number {
  const bits = 1 + exponentBits + mantissaBits
  const sign = code >> (bits - 1) ? -1 : 1
  const exponent = (code >> mantissaBits) % 2 ** exponentBits
  const mantissa = (code % 2 ** mantissaBits) / 2 ** mantissaBits
  return sign * (exponent === 0 ? mantissa * 2 ** (1 - bias) : (1 + mantissa) * 2 ** (exponent - bias))
}

describe('every code of every small float is what its format says', () => {
  const formats = [
    ['F4', [2, 1, 1], {}],
    ['F6_E2M3', [2, 3, 1], {}],
    ['F6_E3M2', [3, 2, 3], {}],
    ['F8_E4M3', [4, 3, 7], { 127: Number.NaN, 255: Number.NaN }],
    ['F8_E4M3FNUZ', [4, 3, 8], { 128: Number.NaN }],
    ['F8_E5M2FNUZ', [5, 2, 16], { 128: Number.NaN }],
    [
      'F8_E5M2',
      [5, 2, 15],
      {
        ...{ 124: Infinity, 252: -Infinity, 125: Number.NaN, 126: Number.NaN, 127: Number.NaN },
        ...{ 253: Number.NaN, 254: Number.NaN, 255: Number.NaN },
      },
    ],
  ] as const
  test.each(formats)('%s', (dtype, fields, special: Readonly<Record<number, number>>) => {
    const codes = Array.from({ length: 2 ** DTYPE_BITS[dtype] }, (_, code) => code)
    expect([...codeValues(dtype)]).toEqual(codes.map((code) => special[code] ?? smallFloat(code, fields)))
  })

  test('the largest of each FNUZ is finite, and E8M0 is a power of two from 2^-127 or NaN', () => {
    expect(codeValues('F8_E4M3FNUZ')[0x7f]).toBe(240)
    expect(codeValues('F8_E5M2FNUZ')[0x7f]).toBe(57344)
    expect([...codeValues('F8_E8M0')].map(Math.log2)).toEqual([
      ...Array.from({ length: 255 }, (_, byte) => byte - 127),
      Number.NaN,
    ])
  })
})

test('integers and booleans are themselves', () => {
  const bytes = Uint8Array.of(0, 1, 0x80, 0xff, 2, 0, 0xfe, 0xff).buffer
  expect([...decodeElements('U8', bytes, 4)]).toEqual([0, 1, 128, 255])
  expect([...decodeElements('I8', bytes, 4)]).toEqual([0, 1, -128, -1])
  expect([...decodeElements('BOOL', bytes, 4)]).toEqual([0, 1, 1, 1])
  expect([...decodeElements('I16', bytes, 4)]).toEqual([256, -128, 2, -2])
  expect([...decodeElements('U16', bytes, 4)]).toEqual([256, 65408, 2, 65534])
  expect([...decodeElements('I32', bytes, 2)]).toEqual([0xff800100 - 2 ** 32, 0xfffe0002 - 2 ** 32])
  expect([...decodeElements('U32', bytes, 2)]).toEqual([0xff800100, 0xfffe0002])
})

/** f32 nearest to an integer, half to even, by integers alone. */
function nearestF32(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  const shift = BigInt(Math.max(0, magnitude.toString(2).length - 24))
  const unit = 1n << shift
  const [below, rest] = [magnitude / unit, magnitude % unit]
  const up = 2n * rest > unit || (2n * rest === unit && below % 2n === 1n)
  return (value < 0n ? -1 : 1) * Number((up ? below + 1n : below) * unit)
}

test('64-bit integers become the f32 nearest to them, rounded once', () => {
  const hard = fc.tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(40), fc.integer({ min: -1, max: 1 }))
  const near = hard.map(([value, shift, off]) => {
    // Half-way cases and their neighbours: a few leading bits, zeros, and one more or less.
    const cut = (value >> BigInt(shift)) << BigInt(shift)
    return BigInt.asUintN(64, cut + BigInt(off))
  })
  const property = fc.property(near, (value) => {
    const signed = BigInt.asIntN(64, value)
    expect(Math.fround(decodeElements('U64', BigUint64Array.of(value).buffer, 1)[0])).toBe(nearestF32(value))
    expect(Math.fround(decodeElements('I64', BigInt64Array.of(signed).buffer, 1)[0]) + 0).toBe(nearestF32(signed) + 0)
  })
  fc.assert(property, { seed: SEED, numRuns: 20_000 })
  // Nearest float64 first would make a tie of it.
  const twice = 2n ** 63n + 2n ** 39n + 1n
  expect(Math.fround(Number(twice))).not.toBe(nearestF32(twice))
  expect(Math.fround(decodeElements('U64', BigUint64Array.of(twice).buffer, 1)[0])).toBe(nearestF32(twice))
})

const view = (dtype: Dtype, shape: readonly number[], byteLength: number): TensorView => {
  return { name: 'v', dtype, shape, byteOffset: 0, byteLength }
}

test('F64 is rounded to the nearest f32, ties to even, beyond the range to infinity', async () => {
  const values = [1 + 2 ** -24, 1 + 3 * 2 ** -24, 2 ** -149, 2 ** -151, 3.4028235677973366e38, -1e300, Number.NaN]
  const source = recordingSource(new Uint8Array(Float64Array.from(values).buffer))
  const rows = await readRows(() => source, view('F64', [1, 7], 56), { start: 0, end: 1 })
  expect([...rows]).toEqual([1, 1 + 2 ** -22, 2 ** -149, 0, Infinity, -Infinity, Number.NaN])
})

test('codes of 4, 6 and 8 bits are a little-endian bit stream from any bit on', () => {
  const anyBits = fc.constantFrom<4 | 6 | 8>(4, 6, 8)
  const property = fc.property(
    fc.uint8Array({ minLength: 6, maxLength: 30 }),
    anyBits,
    fc.nat(4),
    (bytes, bits, skip) => {
      const stream = [...bytes].map((byte) => byte.toString(2).padStart(8, '0').split('').reverse().join('')).join('')
      const count = Math.floor(stream.length / bits) - skip
      const expected = Array.from({ length: count }, (_, i) => {
        const at = (i + skip) * bits
        return Number.parseInt(
          stream
            .slice(at, at + bits)
            .split('')
            .reverse()
            .join(''),
          2,
        )
      })
      expect([...unpackCodes(bytes, bits, count, skip * bits)]).toEqual(expected)
    },
  )
  fc.assert(property, { seed: SEED, numRuns: 2000 })
})

test.each(Object.keys(DTYPE_BITS).filter((dtype) => dtype !== 'C64') as DecodableDtype[])(
  'rows and slices of %s are parts of the whole, also where rows begin inside a byte',
  async (dtype) => {
    const [rows, cols] = [8, 3]
    const byteLength = (rows * cols * DTYPE_BITS[dtype]) / 8
    const bytes = Uint8Array.from({ length: byteLength }, (_, i) => (i * 89 + 17) % 251)
    const source = recordingSource(bytes)
    const tensor = view(dtype, [rows, cols], byteLength)
    const all = await readRows(() => source, tensor, { start: 0, end: rows })
    source.reads.length = 0
    expect([...(await readRows(() => source, tensor, { start: 3, end: 5 }))]).toEqual([...all.slice(9, 15)])
    const perElement = DTYPE_BITS[dtype] / 8
    expect(source.reads).toEqual([[Math.floor(9 * perElement), Math.ceil(15 * perElement)]])
    const sliced: number[] = []
    for await (const slice of valueSlices(() => source, tensor, 5)) sliced.push(...slice)
    expect(sliced.map(Math.fround)).toEqual([...all])
    expect(sliced).toHaveLength(rows * cols)
  },
)

test('complex numbers are refused', async () => {
  const source = recordingSource(new Uint8Array(8))
  const reading = readRows(() => source, view('C64', [1, 1], 8), { start: 0, end: 1 })
  await expect(reading).rejects.toMatchObject({ code: 'TS-01' })
})
