/** What `mxscope quantize` refuses before it writes anything: to harm its own input, half a model, another run's files. */
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { FileError, InputError } from '../core/errors'
import { UsageError } from './command'
import type { OpenFiles } from './module-activations'
import { finishedFile } from './quantize-files'

/** Device and inode of a file; null when there is none. */
async function identityOf(path: string): Promise<string | null> {
  const stats = await stat(path, { bigint: true }).catch(() => null)
  return stats && `${stats.dev}:${stats.ino}`
}

/** Absolute and without links, of a path that may not be there yet. */
async function settled(path: string): Promise<string> {
  const whole = resolve(path)
  const parent = dirname(whole)
  return realpath(whole).catch(async () => (whole === parent ? whole : join(await settled(parent), basename(whole))))
}

/** Throws UsageError when one of `targets` is a file that is read, or one that is read lies in `partsFolder`. */
export async function checkTargets(
  { file, activations }: OpenFiles,
  { targets, partsFolder }: { readonly targets: readonly string[]; readonly partsFolder: string },
): Promise<void> {
  const sources = [...new Set([...file.paths, ...activations.paths])]
  const identities = new Set(await Promise.all(sources.map(identityOf)))
  for (const target of targets) {
    const identity = await identityOf(target)
    if (identity === null || !identities.has(identity)) continue
    throw new UsageError(`${target} is a file that is read; expected an OUT that leaves the input as it is`)
  }
  const folder = `${await settled(partsFolder)}${sep}`
  for (const source of sources) {
    if (!(await settled(source)).startsWith(folder)) continue
    throw new UsageError(`${source}: expected an input outside of ${partsFolder}, which is emptied; choose another OUT`)
  }
}

/** Throws InputError IX-10 when shards of the model are missing or damaged and `partial` does not say to go on. */
export function checkComplete({ file }: OpenFiles, partial: boolean): void {
  const closed = file.shards?.shards.filter(({ isOpen }) => !isOpen).length ?? 0
  if (closed === 0 || partial) return
  throw new InputError(
    'IX-10',
    `${file.source.name}: expected all ${file.shards?.shards.length} shards of the model, found ${closed} missing or damaged. ` +
      'Get them, or write the part that is there with --partial.',
  )
}

/** Throws FileError EX-03 when a file of --resume is there that these settings did not make. */
export async function checkResumed(shards: readonly { readonly path: string; readonly fingerprint: string }[]) {
  for (const { path, fingerprint } of shards) {
    if ((await identityOf(path)) === null || (await finishedFile(path, fingerprint))) continue
    throw new FileError(
      'EX-03',
      `${path}: expected a file that this version made with these settings from this input, found another. ` +
        'Name another OUT, or leave --resume out to replace it.',
    )
  }
}
