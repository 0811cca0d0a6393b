import { main } from '../../src/cli/main'

/** Runs the headless program in this process and collects what it says. */
export async function runMain(...args: string[]) {
  let stdout = ''
  const stderr: string[] = []
  const code = await main(args, {
    out: (text) => {
      stdout += text
    },
    note: (line) => stderr.push(line),
  })
  return { code, stdout, stderr }
}
