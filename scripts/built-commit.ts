import { execFileSync } from 'node:child_process'

/** The commit of the sources, with "+" after it where they have been changed since; '' outside a repository. */
export function builtCommit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const commit = git('rev-parse', '--short=10', 'HEAD').trim()
    return git('status', '--porcelain', '--untracked-files=no').trim() === '' ? commit : `${commit}+`
  } catch {
    return ''
  }
}
