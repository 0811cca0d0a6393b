import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runInBrowser } from '../../src/cli/bench-browser'
import { DEFAULT_BENCH } from '../../src/experiment/bench/options'
import { runMain as run } from '../support/run-main'

describe('bench', () => {
  test('a report to compare with is read before anything is timed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'mxscope-')), 'old.json')
    writeFileSync(path, '{"schema":"mxscope.bench/1","rows":[]}')
    const { code, stderr } = await run('bench', '--against', path)
    expect([code, stderr]).toEqual([1, [expect.stringMatching(/^mxscope: BN-04: .*old\.json: expected a report/)]])
    const absent = await run('bench', '--against', `${path}.gone`)
    expect([absent.code, absent.stderr]).toEqual([1, [expect.stringContaining('FS-01')]])
  })

  test('a place for the report that cannot be written is refused before anything is timed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mxscope-'))
    for (const [path, reason] of [
      [join(folder, 'none', 'x.json'), 'ENOENT'],
      [folder, 'it is a folder'],
    ]) {
      const { code, stderr } = await run('bench', '--json', path)
      expect([code, stderr]).toEqual([1, [expect.stringMatching(/^mxscope: FS-02: .* cannot be written/)]])
      expect(stderr[0]).toContain(reason)
    }
  })

  test('sizes and rounds are refused before a device or a browser is opened', async () => {
    const sizes = await run('bench', '--browser', '--sizes', '100')
    const rule = 'expected a power of two from 32 to 4096, found'
    expect([sizes.code, sizes.stderr]).toEqual([2, [expect.stringContaining(`--sizes: ${rule} "100"`)]])
    for (const [option, text] of [
      ['sizes', '64,abc'],
      ['layer', '0'],
      ['rotation', '8192'],
    ]) {
      const { code, stderr } = await run('bench', `--${option}`, text)
      const found = text.split(',').at(-1)
      expect([code, stderr]).toEqual([2, [expect.stringContaining(`--${option}: ${rule} "${found}"`)]])
    }
    const none = await run('bench', '--sizes', ',')
    expect([none.code, none.stderr]).toEqual([2, [expect.stringContaining('--sizes: expected')]])
    const rounds = await run('bench', '--rounds', '0')
    expect([rounds.code, rounds.stderr]).toEqual([2, [expect.stringContaining('--rounds')]])
  })

  test('a browser needs the page and the libraries it is asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mxscope-'))
    const notes: string[] = []
    const terminal = { out: () => {}, note: (line: string) => notes.push(line) }
    const open = (path: string) =>
      runInBrowser({ request: DEFAULT_BENCH, peers: true, onRow: () => {}, terminal }, path)
    await expect(open(join(folder, 'none'))).rejects.toMatchObject({ code: 'BN-05' })
    writeFileSync(join(folder, 'package-lock.json'), '{}')
    await expect(open(folder)).rejects.toMatchObject({ code: 'BN-06', message: expect.stringContaining('found "npm') })
    expect(notes).toEqual([expect.stringContaining('npm ci in bench/')])
  })

  test('runs in Chromium, by the CPU time of all its processes where the adapter is software', async () => {
    const args = ['--browser', '--filter', 'fake-quantize mxfp8_e4m3', '--sizes', '32', '--rounds', '1', '--json', '-']
    const { code, stdout } = await run('bench', ...args)
    expect(code).toBe(0)
    const { adapter, host, comparedBy, rows } = JSON.parse(stdout)
    expect(host.runtime).toMatch(/^Chromium \d+\./)
    expect(host.commit).toMatch(/^[0-9a-f]{7,}\+?$/)
    const timed = rows.find(({ name }: { name: string }) => name === 'fake-quantize mxfp8_e4m3')
    expect(timed).toMatchObject({ kind: 'timed', shape: '32 x 128', cpuMs: expect.any(Number) })
    expect(comparedBy).toBe(adapter.isSoftware ? 'cpu' : 'wall')
    if (adapter.isSoftware) expect(timed.cpuMs).toBeGreaterThan(0)
  }, 240_000)
})
