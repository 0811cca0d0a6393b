import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeSyntheticLayer } from '../../scripts/make-synthetic-layer.mjs'
import { BUILT_IN_LAYERS } from '../../src/io/built-in-layers'
import { activationCandidates, suggestWeight } from '../../src/io/pair-layer'
import { readHeader } from '../../src/io/read-header'
import { DEFAULT_SYNTHETIC, generateActivations } from '../../src/io/synthetic'
import { readTensorBytes } from '../../src/io/tensor-bytes'
import { recordingSource } from './recording-source'

const fileOf = (path: string) => readFileSync(new URL(`../../public/${path}`, import.meta.url))

async function openLayer(path: string) {
  const source = recordingSource(fileOf(path))
  const { tensors } = await readHeader(source)
  const weight = suggestWeight(tensors)
  const [input] = weight ? activationCandidates(tensors, weight) : []
  if (!weight || !input) throw new Error(`${path}: no pair`)
  const read = async (view: typeof weight) => new Float32Array(await readTensorBytes(source, view))
  return { weight: await read(weight), input: await read(input), inDim: weight.shape[1], outDim: weight.shape[0] }
}

/** Root mean square per column of a [rows, cols] matrix. */
function columnRms(data: Float32Array, cols: number): number[] {
  const squares = new Array<number>(cols).fill(0)
  data.forEach((value, i) => {
    squares[i % cols] += value * value
  })
  return squares.map((sum) => Math.sqrt((sum * cols) / data.length))
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]

test.each(BUILT_IN_LAYERS)('$label: at most 1 MB, one weight with its input, with provenance', async (layer) => {
  expect(fileOf(layer.file).length).toBeLessThanOrEqual(1_000_000)
  const { weight, input, inDim, outDim } = await openLayer(layer.file)
  expect(weight).toHaveLength(inDim * outDim)
  expect(input.every(Number.isFinite) && weight.every(Number.isFinite)).toBe(true)
  expect(layer.provenance.length).toBeGreaterThan(40)
})

test('every file in public/layers is in the menu, once, and described in its README', () => {
  const files = readdirSync(new URL('../../public/layers', import.meta.url)).filter((name) => name !== 'README.md')
  expect(BUILT_IN_LAYERS.map(({ file }) => file).sort()).toEqual(files.map((name) => `layers/${name}`).sort())
  expect(new Set(BUILT_IN_LAYERS.map(({ id }) => id)).size).toBe(BUILT_IN_LAYERS.length)
  const readme = fileOf('layers/README.md').toString()
  for (const name of files) expect(readme).toContain(name)
  expect(readme).toContain('CC BY-SA 3.0'.replace('CC BY-SA', 'Creative Commons Attribution-ShareAlike'))
})

/** What the texts of the menu claim about where outlier channels land. */
test.each([
  ['llama-outliers', { outliers: true, smallColumns: true }],
  ['llama-as-trained', { outliers: false, smallColumns: false }],
  ['synthetic-outliers', { outliers: true, smallColumns: false }],
])('%s has what its text says: %o', async (id, claim) => {
  const layer = BUILT_IN_LAYERS.find((candidate) => candidate.id === id)
  const { weight, input, inDim } = await openLayer(layer?.file ?? '')
  const [inputRms, weightRms] = [columnRms(input, inDim), columnRms(weight, inDim)]
  const largest = inputRms.indexOf(Math.max(...inputRms))
  expect(inputRms[largest] / median(inputRms) > 10).toBe(claim.outliers)
  expect(weightRms[largest] / median(weightRms) < 0.1).toBe(claim.smallColumns)
})

test('the two Llama layers compute the same function', async () => {
  const [spiky, trained] = await Promise.all(BUILT_IN_LAYERS.slice(0, 2).map(({ file }) => openLayer(file)))
  const { inDim, outDim } = trained
  const output = (layer: typeof trained, token: number, row: number) => {
    let sum = 0
    for (let k = 0; k < inDim; k++) sum += layer.input[token * inDim + k] * layer.weight[row * inDim + k]
    return sum
  }
  let [difference, size] = [0, 0]
  for (let token = 0; token < 512; token += 37) {
    for (let row = 0; row < outDim; row++) {
      difference += (output(spiky, token, row) - output(trained, token, row)) ** 2
      size += output(trained, token, row) ** 2
    }
  }
  // Recorded by two separate float32 passes through two layers below: rounding only.
  expect(Math.sqrt(difference / size)).toBeLessThan(1e-4)
})

test('the synthetic layer is what its script writes, from the generator of the page', async () => {
  const layer = BUILT_IN_LAYERS[2]
  expect(makeSyntheticLayer().equals(fileOf(layer.file))).toBe(true)
  const { input, inDim } = await openLayer(layer.file)
  expect(input).toEqual(generateActivations(DEFAULT_SYNTHETIC, inDim).data)
})
