import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { outputNotes, quantizeOutput } from '../../src/experiment/output-heads'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { roundMatrix } from '../support/layer-codec'
import { gaussian } from '../support/matrices'

const t = gpuFixture()
const choices = { ...STANDARD_MX, blockSize: 64 }
const quantizerOf = (format: string) => makeQuantizer(parseFormat(format), choices)

/** Channels [head · headDim, (head + 1) · headDim) of every row. */
function headOf({ rows, cols, data }: Matrix, head: number, headDim: number): Matrix {
  const slices = Array.from({ length: rows }, (_, row) =>
    Array.from(data.subarray(row * cols + head * headDim, row * cols + (head + 1) * headDim)),
  )
  return { rows, cols: headDim, data: Float32Array.from(slices.flat()) }
}

async function quantized(product: Matrix, format: string, headDim: number): Promise<Matrix> {
  const matrix = uploadMatrix(t.gpu, t.arena, product, 'product')
  const rounded = quantizeOutput(t.recorder, t.arena, matrix, { quantizer: quantizerOf(format), headDim })
  t.recorder.submit()
  return readMatrix(t.gpu, rounded)
}

describe('a quantized output', () => {
  const product = gaussian(5, 288, 3)

  // Blocks of 64 in heads of 96: the second block of each head is short, and the next head begins a new one.
  test.each(['mxfp8_e4m3', 'mxfp4', 'int8', 'int4(group=64,scheme=asym)'])(
    '%s is that of each head alone',
    async (format) => {
      const whole = await quantized(product, format, 96)
      expect([whole.rows, whole.cols]).toEqual([5, 288])
      for (const head of [0, 1, 2]) {
        const alone = await quantized(headOf(product, head, 96), format, 96)
        expect(headOf(whole, head, 96).data).toEqual(alone.data)
        expect(alone.data).toEqual(roundMatrix(headOf(product, head, 96), quantizerOf(format)).data)
      }
      const unsplit = fakeQuantize(
        t.recorder,
        t.arena,
        uploadMatrix(t.gpu, t.arena, product, 'product'),
        quantizerOf(format),
      )
      t.recorder.submit()
      expect((await readMatrix(t.gpu, unsplit)).data).not.toEqual(whole.data)
    },
  )

  test('NVFP4 keeps the tensor scale of the whole output', async () => {
    const whole = await quantized(product, 'nvfp4', 32)
    expect(whole.data).toEqual(roundMatrix(product, quantizerOf('nvfp4')).data)
  })

  test('a width that has no heads of 32 is one head, with a short last block', async () => {
    const odd = gaussian(3, 70, 4)
    expect((await quantized(odd, 'mxfp8_e4m3', 70)).data).toEqual(roundMatrix(odd, quantizerOf('mxfp8_e4m3')).data)
  })
})

const given = (headDim: number) => ({ headDim, assumed: false })

test('a head size that was assumed is said, with the ways to set it', () => {
  const notes = outputNotes('mxfp4', { headDim: 64, assumed: true }, { name: 'k_proj.weight', outDim: 192 })
  expect(notes[1]).toBe(
    'The head size 64 was assumed (128 where it divides the output, else 64, else the whole row); if the model has ' +
      'another, set it ("Head size" on the page, --head-dim on the command line).',
  )
})

test('the notes name format and heads, and doubt a layer that is no key or value projection', () => {
  const [note, ...others] = outputNotes('mxfp8_e4m3', given(128), {
    name: 'layers.0.self_attn.k_proj.weight',
    outDim: 1024,
  })
  expect(note).toBe('Output quantized to MXFP8 E4M3 per head of 128 channels.')
  expect(others).toEqual([])
  expect(outputNotes('int4(group=32)', given(96), { name: 'mlp.up_proj.weight', outDim: 96 })).toEqual([
    'Output quantized to INT4, group 32 per token as one head of 96 channels.',
    '"mlp.up_proj.weight" does not look like a key or value projection; only their outputs are cached.',
  ])
})
