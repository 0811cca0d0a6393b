import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTuningFile, tuningPath } from '../../src/cli/tuning-file'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mxscope-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('the file lies in the cache folder of the user', () => {
  expect(tuningPath('/cache', '/home/a')).toBe(join('/cache', 'mxscope', 'kernels.json'))
  expect(tuningPath(undefined, '/home/a')).toBe(join('/home/a', '.cache', 'mxscope', 'kernels.json'))
  expect(tuningPath('cache', '/home/a')).toBe(join('/home/a', '.cache', 'mxscope', 'kernels.json'))
})

test('what is set is there in the next process, beside what was there', async () => {
  const path = join(folder, 'deep', 'kernels.json')
  await createTuningFile(path).set('a', { version: '1' })
  await createTuningFile(path).set('b', 2)
  const file = createTuningFile(path)
  expect([await file.get('a'), await file.get('b'), await file.get('c')]).toEqual([{ version: '1' }, 2, undefined])
  expect(await readdir(dirname(path))).toEqual(['kernels.json'])
})

test.each(['', '{', '[1]', 'null'])('a file that holds %j is begun anew', async (text) => {
  const path = join(folder, 'kernels.json')
  await writeFile(path, text)
  const file = createTuningFile(path)
  expect(await file.get('a').catch(() => undefined)).toBeUndefined()
  await file.set('a', 1)
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ a: 1 })
})
