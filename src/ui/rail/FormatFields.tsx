import { NativeSelect } from '@mantine/core'
import { parseFormat } from '../../formats/format-text'
import { formatMenu } from '../../store/format-menu'
import { mxChoices } from '../../store/mx-choices'
import { usesHeads } from '../../store/result-keys'
import { choosesKeyOrValue, chosenShape } from '../../store/selectors'
import type { FormatSide } from '../../store/setup-actions'
import { defaultSetup } from '../../store/vocabulary'
import { Field } from '../Field'
import { OptionField } from '../OptionField'
import { useActions, useApp, useVocabulary } from '../use-app'
import { HeadSizeField } from './HeadSizeField'
import styles from './SettingSection.module.css'

const AS_LOADED = ''

/** Number formats of the tensors, each with its own options. The output only where a key-value cache would store it. */
export function FormatFields() {
  const cached = useApp(choosesKeyOrValue)
  const output = useApp((state) => state.setup.setting.outputFormat)
  const heads = useApp((state) => usesHeads(state.setup))
  return (
    <>
      <FormatField side="weightFormat" />
      <FormatField side="activationFormat" />
      {(cached || output !== null) && <FormatField side="outputFormat" />}
      {heads && <HeadSizeField />}
    </>
  )
}

const SIDES: Readonly<Record<FormatSide, { readonly hook: string; readonly label: string; readonly help: string }>> = {
  weightFormat: {
    hook: 'weight',
    label: 'Weights W',
    help: 'Number format of the weights W, and its bits per element with scales. "as loaded": full precision.',
  },
  activationFormat: {
    hook: 'activation',
    label: 'Activations X',
    help: 'Number format of the activations X, and its bits per element with scales. "as loaded": full precision.',
  },
  outputFormat: {
    hook: 'output',
    label: 'Output Y',
    help: 'Number format of the output, as the key-value cache stores it. For key and value projections.',
  },
}

function FormatField({ side }: { readonly side: FormatSide }) {
  const { formats } = useVocabulary()
  const standard = defaultSetup(useVocabulary()).setting
  const chosen = useApp((state) => state.setup.setting[side])
  const choices = useApp((state) => mxChoices(state.setup))
  const inDim = useApp((state) => chosenShape(state)?.[1] ?? null)
  const { setFormat } = useActions()
  const { hook, label, help } = SIDES[side]
  const menu = formatMenu(formats, { chosen, choices, inDim: side === 'outputFormat' ? null : inDim })
  return (
    <>
      <Field
        label={label}
        help={help}
        topics={[`format:${chosen === null ? 'number-format' : parseFormat(chosen).format.id}`, 'setting']}
        onReset={() => setFormat(side, standard[side])}
      >
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test={`setting-${hook}-format`}
            value={chosen === null ? AS_LOADED : parseFormat(chosen).format.id}
            onChange={({ currentTarget: { value } }) => setFormat(side, value === AS_LOADED ? null : value)}
          >
            {menu.map((group) => (
              <optgroup key={group.label} label={group.label}>
                {group.formats.map((format) => (
                  <option key={format.id} value={format.id}>
                    {format.label}
                  </option>
                ))}
              </optgroup>
            ))}
            <option value={AS_LOADED}>as loaded</option>
          </NativeSelect>
        )}
      </Field>
      {chosen !== null && <FormatOptions side={side} text={chosen} />}
    </>
  )
}

function FormatOptions({ side, text }: { readonly side: FormatSide; readonly text: string }) {
  const { format, options } = parseFormat(text)
  const { setFormatOption } = useActions()
  if (format.options.length === 0) return null
  return (
    <div className={styles.options}>
      {format.options.map((spec) => (
        <OptionField
          key={spec.key}
          spec={spec}
          value={options[spec.key]}
          hook={`setting-${SIDES[side].hook}-${spec.key}`}
          onChange={(value) => setFormatOption(side, spec.key, value)}
        />
      ))}
    </div>
  )
}
