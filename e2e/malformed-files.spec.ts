import { expect, shownError, test, waitForResults } from './support'

/** A safetensors file with this header text and `dataBytes` zero bytes. */
function safetensors(header: string, dataBytes: number): Buffer {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)])
}

const tensor = (fields: string) => `{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}${fields}}`

const MALFORMED = [
  {
    name: 'short.safetensors',
    bytes: Buffer.from([1, 2, 3]),
    code: 'ST-01',
    says: /expected at least 8 bytes.*found 3/,
  },
  {
    name: 'torch.safetensors',
    bytes: Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(60)]),
    code: 'ST-02',
    says: /PyTorch/,
  },
  {
    name: 'pointer.safetensors',
    bytes: Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n'),
    code: 'ST-02',
    says: /Git LFS pointer/,
  },
  {
    name: 'overlap.safetensors',
    bytes: safetensors(tensor(',"v":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}'), 16),
    code: 'ST-15',
    says: /overlap/,
  },
  { name: 'cut.safetensors', bytes: safetensors(tensor(''), 7), code: 'ST-16', says: /short|ends at/ },
  {
    name: 'twice.safetensors',
    bytes: safetensors(tensor(',"w":{"dtype":"F32","shape":[0],"data_offsets":[16,16]}'), 16),
    code: 'ST-08',
    says: /"w": listed twice/,
  },
] as const

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

test('each malformed file says what is wrong, and what was loaded stays; a NaN is counted and located', async ({
  page,
}) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  const before = await shownError(page, 'rtn')
  for (const file of MALFORMED) {
    await page.locator('input[type=file]').first().setInputFiles({
      name: file.name,
      mimeType: 'application/octet-stream',
      buffer: file.bytes,
    })
    const banner = page.getByTestId(`banner-${file.code}`)
    await expect(banner, file.name).toContainText(file.says)
    await expect(banner).toContainText(file.name)
    await expect(page.getByTestId('tile-rtn')).toHaveAttribute('data-result', 'live')
    expect(await shownError(page, 'rtn')).toBe(before)
  }

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
