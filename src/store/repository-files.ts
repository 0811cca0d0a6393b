/** What of a repository is opened together. */
import type { RepositoryFile, RepositoryListing } from '../io/hub'

export interface OfferedFiles {
  /** What "open all" opens: the weights and, so that they are read as one, their index and config. */
  readonly together: readonly RepositoryFile[]
  readonly weights: readonly RepositoryFile[]
  /** Of the weights. */
  readonly byteLength: number
}

const folderOf = ({ path }: RepositoryFile) => path.slice(0, path.lastIndexOf('/') + 1)

/**
 * The model in one folder: the outermost that has weights, since folders below it hold other versions of the same.
 */
export function offeredFiles({ files }: RepositoryListing): OfferedFiles {
  const weights = files.filter(({ kind }) => kind === 'safetensors')
  const depth = (folder: string) => folder.split('/').length
  const folders = weights.map(folderOf).sort((a, b) => depth(a) - depth(b) || a.localeCompare(b))
  const beside = (file: RepositoryFile) => folderOf(file) === folders[0]
  const own = weights.filter(beside)
  const companions = files.filter((file) => beside(file) && (file.kind === 'index' || file.kind === 'config'))
  return {
    together: [...companions, ...own],
    weights: own,
    byteLength: own.reduce((sum, { byteLength }) => sum + byteLength, 0),
  }
}
