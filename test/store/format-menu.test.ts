import { describe, expect, it } from 'vitest'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS } from '../../src/formats/registry'
import { formatMenu } from '../../src/store/format-menu'

const menu = (chosen: string | null, blockSize = 32, inDim: number | null = null) =>
  formatMenu(FORMATS, { chosen, choices: { ...STANDARD_MX, blockSize }, inDim })
const labels = (...args: Parameters<typeof menu>) =>
  menu(...args).flatMap(({ formats }) => formats.map(({ label }) => label))

describe('the menu of formats', () => {
  it('has every format of the registry once, family by family', () => {
    expect(menu(null).map(({ label }) => label)).toEqual(['MX', 'NV', 'Integer', '16-bit'])
    expect(menu(null).flatMap(({ formats }) => formats.map(({ id }) => id))).toEqual(FORMATS.map(({ id }) => id))
  })

  it('says what a format costs: with the block size of the run', () => {
    expect(labels(null)).toContain('MXFP4 · 4.25 bits')
    expect(labels(null, 64)).toContain('MXFP4 · 4.13 bits')
    expect(labels(null, 64)).toContain('NVFP4 · 4.50 bits')
  })

  it('with the options of the format that is chosen, and the defaults of the others', () => {
    expect(labels('int4(group=64,scheme=asym)')).toContain('INT4 · 4.31 bits')
    expect(labels('int8')).toContain('INT4 · 4.00 bits')
    expect(labels('int8', 32, 64)).toContain('INT4 · 4.25 bits')
  })
})
