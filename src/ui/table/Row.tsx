import { type CSSProperties, type MouseEvent, useId, useState } from 'react'
import type { MethodResult } from '../../experiment/result'
import { methodStyle } from '../../figures/method-style'
import { publishedRecovery, REGIME_GLYPHS, recoveryText, regimeOf } from '../../store/paper-recovery'
import type { TileModel } from '../../store/selectors'
import type { CancelledRun } from '../../store/state'
import { barShare, type Column, cellText, PAPER_COLUMN } from '../../store/table-rows'
import { cancelledText } from '../../store/unfinished'
import { MethodMark } from '../MethodMark'
import { useMethodTarget } from '../method-target'
import { useActions, useApp, useVocabulary } from '../use-app'
import { ResultDetails } from './ResultDetails'
import styles from './ResultsTable.module.css'
import { ROW_BUTTON } from './use-row-keys'

interface RowProps {
  readonly model: TileModel
  readonly columns: readonly Column[]
  readonly baseline: MethodResult | null
  /** Output SQNR of every row: the bars share their scale. */
  readonly decibels: readonly number[]
  readonly isTabStop: boolean
  readonly onFocus: (id: string) => void
}

/** One method. A click or Enter pins it everywhere; its details have a button of their own. */
export function Row({ model, columns, baseline, decibels, isTabStop, onFocus }: RowProps) {
  const { method, status, outcome, cancelled } = model
  const { id } = method
  const [open, setOpen] = useState(false)
  const detailsId = useId()
  const { pinMethod } = useActions()
  const target = useMethodTarget(id)
  const result = outcome?.kind === 'result' && !cancelled ? outcome : null
  const opened = open && result !== null
  const click = ({ target: clicked }: MouseEvent) => {
    if (!(clicked instanceof Element && clicked.closest('button'))) pinMethod(id)
  }
  return (
    <>
      <tr data-test={`table-row-${id}`} data-result={status} onClick={click} {...target}>
        <th scope="row">
          <button
            type="button"
            className={styles.open}
            aria-label={`Details of ${methodStyle(id, 'light').label}`}
            data-test={`details-button-${id}`}
            aria-expanded={opened}
            aria-controls={opened ? detailsId : undefined}
            disabled={result === null}
            onClick={() => setOpen(!open)}
          >
            <span aria-hidden className={styles.arrow}>
              {opened ? '▾' : '▸'}
            </span>
          </button>
          <Name id={id} isTabStop={isTabStop} onFocus={onFocus} />
          {status === 'stale' && <span className={styles.stale}>previous</span>}
        </th>
        {result ? (
          columns.map((column) => (
            // What is left from before is not compared with the baseline of now.
            <Cell key={column.id} {...{ column, result, decibels }} baseline={status === 'live' ? baseline : null} />
          ))
        ) : (
          <td colSpan={columns.length} className={styles.reason}>
            {cancelled ? <Cancelled run={cancelled} /> : <Reason status={status} outcome={outcome} />}
          </td>
        )}
      </tr>
      {opened && (
        <tr id={detailsId} data-result={status}>
          <td colSpan={columns.length + 1} className={styles.detailsCell}>
            <ResultDetails result={result} />
          </td>
        </tr>
      )}
    </>
  )
}

function Name({ id, isTabStop, onFocus }: Pick<RowProps, 'isTabStop' | 'onFocus'> & { readonly id: string }) {
  const { methods } = useVocabulary()
  const { pinMethod } = useActions()
  const isPinned = useApp((state) => state.highlight.pinnedMethod === id)
  const summary = methods.find((entry) => entry.id === id)?.summary
  return (
    <button
      type="button"
      className={styles.name}
      title={summary && `${summary} Click to pin it in every figure.`}
      data-test={`row-${id}`}
      aria-pressed={isPinned}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => pinMethod(id)}
      onFocus={() => onFocus(id)}
      {...{ [ROW_BUTTON]: id }}
    >
      <MethodMark id={id} /> {methodStyle(id, 'light').label}
    </button>
  )
}

/** Why a row has no numbers. */
function Reason({ status, outcome }: Pick<TileModel, 'status' | 'outcome'>) {
  const atRest = useApp(({ run, device }) => run.phase === 'idle' && run.end !== null && device.status === 'ready')
  if (outcome?.kind === 'failure') return `${outcome.error.code} ${outcome.error.message}`
  return status === 'waiting' && atRest ? 'not computed' : status
}

function Cancelled({ run: left }: { readonly run: CancelledRun }) {
  const { run } = useActions()
  return (
    <>
      {cancelledText(left)}{' '}
      <button type="button" className={styles.again} data-test={`run-again-${left.method}`} onClick={run}>
        Run again
      </button>
    </>
  )
}

interface CellProps extends Pick<RowProps, 'baseline' | 'decibels'> {
  readonly column: Column
  readonly result: MethodResult
}

function Cell({ column, result, baseline, decibels }: CellProps) {
  const value = column.value(result, baseline)
  const isBar = column.id === 'sqnr' && value !== null
  return (
    <td
      className={isBar ? styles.bar : undefined}
      data-column={column.id}
      style={isBar ? ({ '--share': barShare(value, decibels) } as CSSProperties) : undefined}
      title={column.hint?.(result)}
      data-test={column.hook ? `${column.hook}-${result.method}` : undefined}
    >
      {column.id === PAPER_COLUMN ? <Published result={result} /> : cellText(column, result, baseline)}
    </td>
  )
}

/** A published number with the word the paper has for it. */
function Published({ result }: { readonly result: MethodResult }) {
  const model = useApp((state) => state.table.paperModel)
  const recovery = publishedRecovery(model, result)
  if (!recovery) return '–'
  const regime = regimeOf(recovery.printed)
  return (
    <span className={styles.paper} data-regime={regime}>
      <span aria-hidden>{REGIME_GLYPHS[regime]}</span> {recoveryText(recovery)} {regime}
    </span>
  )
}
