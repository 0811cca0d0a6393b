import { expect, test, waitForResults } from './support'

/** A layer file: weight [32, 64] and activations [8, 64], F32; one activation is NaN, at row 3, column 5. */
function layerWithNan(): Buffer {
  const weight = Float32Array.from({ length: 32 * 64 }, (_, i) => Math.sin(i))
  const activations = Float32Array.from({ length: 8 * 64 }, (_, i) => (i === 3 * 64 + 5 ? Number.NaN : Math.cos(i)))
  const header = JSON.stringify({
    'mlp.weight': { dtype: 'F32', shape: [32, 64], data_offsets: [0, weight.byteLength] },
    'mlp.input': {
      dtype: 'F32',
      shape: [8, 64],
      data_offsets: [weight.byteLength, weight.byteLength + activations.byteLength],
    },
  })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, Buffer.from(header), Buffer.from(weight.buffer), Buffer.from(activations.buffer)])
}

test('a tensor with a NaN is refused, counted and located', async ({ page }) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await page.locator('input[type=file]').first().setInputFiles({
    name: 'nan.safetensors',
    mimeType: 'application/octet-stream',
    buffer: layerWithNan(),
  })
  const banner = page.getByTestId('banner-TS-04')
  await expect(banner).toContainText('mlp.input')
  await expect(banner).toContainText(/1 of 512 elements is not finite \(1 NaN\)/)
  await expect(banner).toContainText(/row 3, column 5/)
})
