import { type OutlierPoint, type OutlierStudyEvent, runOutlierStudy } from '../experiment/outlier-study'
import { EXIT, type Terminal } from './command'
import { adapterReport, openNodeGpu } from './node-gpu'
import { parseOutlierSweep } from './outlier-sweep-arguments'
import { outlierCsv, outlierReport, outlierText, sharedNotes } from './outlier-sweep-report'
import { checkOutputs, writeJson, writeWhole } from './output'

/** Progress with a count; of points only those that failed, since the table has the others. */
function noteEvent(event: OutlierStudyEvent, terminal: Terminal): void {
  if (event.kind === 'progress') {
    const { stage, done, total } = event.progress
    terminal.note(`${done} of ${total}: ${stage}`)
  } else if (event.point.error) {
    const { format, method, strength, error } = event.point
    terminal.note(`k ${strength} ${format} ${method}: failed: ${error.code}: ${error.message}`)
  }
}

/** Runs `mxscope sweep --parameter outlier-strength`. Returns the exit code. */
export async function runOutlierSweep(args: readonly string[], terminal: Terminal): Promise<number> {
  const { request, json, csv } = parseOutlierSweep(args)
  await checkOutputs(json, csv)
  const gpu = await openNodeGpu()
  const points: OutlierPoint[] = []
  const { signal } = new AbortController()
  await runOutlierStudy(request, { gpu, signal, now: () => performance.now() }, (event) => {
    noteEvent(event, terminal)
    if (event.kind === 'point') points.push(event.point)
  })
  for (const note of sharedNotes(points)) terminal.note(`  ${note}`)
  const done = { adapter: adapterReport(gpu), request, points }
  if (csv === '-') terminal.out(outlierCsv(done))
  else if (csv !== null) await writeWhole(csv, outlierCsv(done))
  if (json !== null) await writeJson(json, outlierReport(done), terminal)
  if (json !== '-' && csv !== '-') terminal.out(outlierText(done))
  return points.some(({ error }) => error === null) ? EXIT.done : EXIT.input
}
