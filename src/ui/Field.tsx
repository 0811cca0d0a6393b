import { Tooltip } from '@mantine/core'
import { type ReactNode, useId } from 'react'
import styles from './Field.module.css'
import { HelpButton } from './help/HelpButton'

/**
 * What a control inside a Field takes over, so that its label and help belong to it. The help goes as `aria-description`:
 * the kit's inputs replace `aria-describedby` by their own.
 */
export interface FieldIds {
  readonly id: string
  readonly 'aria-description': string
}

interface FieldProps {
  readonly label: string
  /** One sentence: what it is, when one would change it. */
  readonly help: string
  readonly unit?: string
  /** What its "?" explains (help/topics.ts); without it there is none. */
  readonly topics?: readonly string[]
  /** Shares its row with another field: a label as wide as its text. */
  readonly half?: boolean
  /** Why what stands in the control is not used, said under it. */
  readonly error?: string
  /** What a double click on the label does: back to the default. */
  readonly onReset?: () => void
  readonly children: (ids: FieldIds) => ReactNode
}

/** Beside the control, else above or below it: never on it. */
const HELP_PLACES = { flip: { fallbackPlacements: ['left' as const, 'top' as const, 'bottom' as const] }, shift: true }

/** A labelled control with its help as a tooltip, heard by assistive technology as its description. */
export function Field({ label, help, unit, topics, half, error, onReset, children }: FieldProps) {
  const id = useId()
  return (
    <Tooltip label={help} position="right" middlewares={HELP_PLACES}>
      <div className={half ? styles.half : styles.field}>
        <label htmlFor={id} id={`${id}-label`} className={styles.label} onDoubleClick={onReset}>
          {label}
        </label>
        {children({ id, 'aria-description': help })}
        {unit && <span className={styles.unit}>{unit}</span>}
        {topics && <HelpButton about={label} topics={topics} />}
        {error && (
          <p className={styles.error} role="alert">
            {error}
          </p>
        )}
      </div>
    </Tooltip>
  )
}
