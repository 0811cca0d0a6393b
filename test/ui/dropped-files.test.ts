import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { droppedFiles } from '../../src/ui/rail/dropped-files'

const file = (name: string) => new File(['12345678'], name)

/** An item as a browser without file handles gives it. */
const entryItem = (entry: object, own: File | null = null) => ({
  kind: 'file',
  getAsFile: () => own,
  webkitGetAsEntry: () => entry,
})

const fileEntry = (name: string) => ({
  isFile: true,
  isDirectory: false,
  file: (give: (found: File) => void) => give(file(name)),
})

/** A folder whose reader tells its children one at a time, and then nothing. */
const folderEntry = (...children: object[]) => ({
  isFile: false,
  isDirectory: true,
  createReader: () => {
    const left = [...children]
    return { readEntries: (give: (some: object[]) => void) => give(left.splice(0, 1)) }
  },
})

const drop = (items: object[], files: File[] = []) => droppedFiles({ items, files } as unknown as DataTransfer)
const names = async (found: ReturnType<typeof drop>) => (await found).map(({ name }) => name)

beforeEach(() => vi.stubGlobal('isSecureContext', true))
afterEach(() => vi.unstubAllGlobals())

it('finds the files of folders in folders, without what file managers leave there', async () => {
  const folder = folderEntry(fileEntry('a'), fileEntry('.DS_Store'), folderEntry(fileEntry('b'), fileEntry('c')))
  expect(await names(drop([entryItem(folder), entryItem(fileEntry('d'), file('d'))]))).toEqual(['a', 'b', 'c', 'd'])
})

it('gives each file its handle where the browser has them', async () => {
  const handle = (name: string) => ({ kind: 'file', name, getFile: async () => file(name) })
  const folder = {
    kind: 'directory',
    async *values() {
      yield handle('a')
    },
  }
  const items = [
    { ...entryItem(folderEntry()), getAsFileSystemHandle: async () => folder },
    { ...entryItem(fileEntry('b'), file('b')), getAsFileSystemHandle: async () => handle('b') },
    { ...entryItem(fileEntry('c'), file('c')), getAsFileSystemHandle: () => Promise.reject(new Error('refused')) },
  ]
  const found = await drop(items)
  expect(found.map((each) => [each.name, (each as { handle?: { name: string } }).handle?.name])).toEqual([
    ['a', 'a'],
    ['b', 'b'],
    ['c', undefined],
  ])
})

it('takes the plain list where there are no items, and says when a file cannot be read', async () => {
  expect(await names(drop([{ kind: 'string' }], [file('a')]))).toEqual(['a'])
  const broken = {
    isFile: true,
    isDirectory: false,
    file: (_: unknown, fail: (error: Error) => void) => fail(new Error('gone')),
  }
  await expect(drop([entryItem(folderEntry(broken))])).rejects.toThrow('gone')
})
