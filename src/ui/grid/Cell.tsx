import type { CSSProperties } from 'react'
import { cellColour, cellText, type GridModel } from '../../figures/method-grid'
import { methodStyle } from '../../figures/method-style'
import type { GridCell } from '../../store/grid-view'
import { MethodMark } from '../MethodMark'
import { useMethodTarget } from '../method-target'
import { useActions } from '../use-app'
import styles from './grid.module.css'

interface CellProps {
  readonly cell: GridCell
  readonly shown: {
    readonly model: GridModel
    readonly scale: 'sqnr' | 'difference'
    readonly range: { readonly least: number; readonly most: number }
  }
}

/** One method of the grid: its number, or what brings it. */
export function Cell({ cell, shown: { model, scale, range } }: CellProps) {
  const { entry, status, outcome, chosen, adjusted } = cell
  const { askCells, retryCell, toggleMethod } = useActions()
  const target = useMethodTarget(entry.id)
  const value = model.values.find(({ method }) => method === entry.id)
  const { paper, ink } = value ? cellColour(value.sqnrDb, range) : { paper: undefined, ink: undefined }
  const text = value ? cellText(value, model, scale) : TEXT[status]
  const act = {
    live: () => toggleMethod(entry.id),
    failed: () => retryCell(entry.id),
    missing: () => askCells([entry.id]),
    waiting: () => undefined,
    running: () => undefined,
  }[status]
  const note = outcome?.kind === 'failure' ? `${outcome.error.code} ${outcome.error.message}` : NOTES[status](chosen)
  return (
    <span className={styles.cell} {...target}>
      <button
        type="button"
        className={styles.value}
        style={{ '--cell-paper': paper, '--cell-ink': ink } as CSSProperties}
        data-test={`cell-${entry.id}`}
        data-status={status}
        aria-pressed={status === 'live' ? chosen : undefined}
        aria-label={`${entry.label}: ${value ? `${text} dB` : text}${adjusted ? ', own options' : ''}`}
        title={note}
        onClick={act}
      >
        <span className={styles.name}>
          {status === 'live' ? (
            <span aria-hidden>{methodStyle(entry.id, 'light').glyph}</span>
          ) : (
            <MethodMark id={entry.id} />
          )}{' '}
          {entry.label}
          {adjusted && ' ⚙'}
        </span>{' '}
        <span className={styles.number}>{outcome?.kind === 'failure' ? outcome.error.code : text}</span>
      </button>
    </span>
  )
}

const TEXT: Readonly<Record<GridCell['status'], string>> = {
  missing: 'compute',
  waiting: 'waiting',
  running: 'running',
  live: '',
  failed: 'failed',
}

const NOTES: Readonly<Record<GridCell['status'], (chosen: boolean) => string>> = {
  missing: () => 'Compute this cell',
  waiting: () => 'Asked for, not computed yet',
  running: () => 'Being computed',
  live: (chosen) => (chosen ? 'Take it out of the comparison' : 'Add it to the comparison'),
  failed: () => 'Failed. Compute it again',
}
