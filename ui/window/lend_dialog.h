#pragma once

#include <QtWidgets/QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace belay::ui {

// Which file to lend to a gadget, under which name, whether it may write, and in blocks of how many
// bytes.
class LendDialog final : public QDialog {
    Q_OBJECT

 public:
    LendDialog(const QString& gadget, QWidget* parent);

    QString file() const;
    QString label() const;
    bool readOnly() const;
    // In bytes; 0: belayd chooses.
    uint blockSize() const;
    void setFile(const QString& file);
    // Opens the file dialog.
    void browse();

 private:
    void update();

    QLineEdit* file_;
    QLineEdit* label_;
    QCheckBox* readOnly_;
    QComboBox* blockSize_;
    QLabel* hint_;
    QPushButton* lend_;
};

}  // namespace belay::ui
