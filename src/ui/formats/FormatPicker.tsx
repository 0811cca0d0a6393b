import { NativeSelect } from '@mantine/core'
import { memo } from 'react'
import { formatText, parseFormat } from '../../formats/format-text'
import { formatMenu } from '../../store/format-menu'
import { mxChoices } from '../../store/mx-choices'
import { chosenShape } from '../../store/selectors'
import { OptionField } from '../OptionField'
import { useApp, useVocabulary } from '../use-app'
import styles from './formats.module.css'

interface FormatPickerProps {
  readonly label: string
  /** The format with its options, as text. */
  readonly text: string
  readonly hook: string
  /** The same function while nothing changed: the picker is not drawn again then. */
  readonly onChange: (text: string) => void
}

/** A format of the registry and, folded below it, its options. */
export const FormatPicker = memo(function FormatPicker({ label, text, hook, onChange }: FormatPickerProps) {
  const { formats } = useVocabulary()
  const choices = useApp((state) => mxChoices(state.setup))
  const inDim = useApp((state) => chosenShape(state)?.[1] ?? null)
  const { format, options } = parseFormat(text)
  const menu = formatMenu(formats, { chosen: text, choices, inDim })
  return (
    <div className={styles.picker}>
      <NativeSelect
        size="xs"
        aria-label={label}
        data-test={hook}
        value={format.id}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        {menu.map((group) => (
          <optgroup key={group.label} label={group.label}>
            {group.formats.map((each) => (
              <option key={each.id} value={each.id}>
                {each.label}
              </option>
            ))}
          </optgroup>
        ))}
      </NativeSelect>
      {format.options.length > 0 && (
        <details className={styles.options}>
          <summary data-test={`${hook}-options`}>
            {format.options.map(({ key, label: name }) => `${name}: ${options[key]}`).join(', ')}
          </summary>
          {format.options.map((spec) => (
            <OptionField
              key={spec.key}
              spec={spec}
              value={options[spec.key]}
              hook={`${hook}-${spec.key}`}
              onChange={(value) => onChange(formatText({ format, options: { ...options, [spec.key]: value } }))}
            />
          ))}
        </details>
      )}
    </div>
  )
})
