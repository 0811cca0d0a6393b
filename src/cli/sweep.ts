import type { SweepRequest } from '../experiment/request'
import type { SweepPoint } from '../experiment/result'
import { runSweep } from '../experiment/sweep'
import { sweepValues } from '../experiment/sweep-parameters'
import { type Command, EXIT, type Terminal } from './command'
import { adapterReport } from './node-gpu'
import { type OpenLayer, withLayer } from './open-layer'
import { runOutlierSweep } from './outlier-sweep'
import { isOutlierSweep, outlierSweepHelp } from './outlier-sweep-arguments'
import { checkOutputs, decimals, writeJson, writeWhole } from './output'
import { parseSweep, type SweepArguments, sweepHelp } from './sweep-arguments'
import { type Sweep, sweepCsv, sweepReport, sweepText } from './sweep-report'

function notePoint({ parameter }: SweepRequest, { value, evaluation, error }: SweepPoint, terminal: Terminal): void {
  const told = error
    ? `failed: ${error.code}: ${error.message}`
    : `${decimals(evaluation?.outputSqnrDb, 2)} dB on evaluation rows`
  terminal.note(`${parameter} ${value}: ${told}`)
}

async function sweep(
  { layer, gpu, signal }: OpenLayer,
  { request: asked }: SweepArguments,
  terminal: Terminal,
): Promise<Sweep> {
  const values = asked.values ?? sweepValues(asked.method.id, asked.parameter, layer.facts)
  const request: SweepRequest = { ...asked, values }
  const points: SweepPoint[] = []
  await runSweep(layer, request, { gpu, signal, now: () => performance.now() }, (event) => {
    if (event.kind !== 'point') return
    notePoint(request, event.point, terminal)
    points.push(event.point)
  })
  return { layer: layer.facts, adapter: adapterReport(gpu), request, points }
}

export const command: Command = {
  help: sweepHelp + outlierSweepHelp,
  async run(args, terminal) {
    if (isOutlierSweep(args)) return runOutlierSweep(args, terminal)
    const parsed = parseSweep(args)
    for (const note of parsed.notes) terminal.note(`note: ${note}.`)
    await checkOutputs(parsed.json, parsed.csv)
    const done = await withLayer(parsed, terminal, (open) => sweep(open, parsed, terminal))
    const { json, csv } = parsed
    if (csv === '-') terminal.out(sweepCsv(done))
    else if (csv !== null) await writeWhole(csv, sweepCsv(done))
    if (json !== null) await writeJson(json, sweepReport(done), terminal)
    if (json !== '-' && csv !== '-') terminal.out(sweepText(done))
    return done.points.some(({ error }) => error === null) ? EXIT.done : EXIT.input
  },
}
